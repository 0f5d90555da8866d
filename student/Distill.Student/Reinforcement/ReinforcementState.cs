using Distill.Architecture;
using Distill.Student.Model;
using Distill.Student.Monitoring;
using Distill.Student.Training;

namespace Distill.Student.Reinforcement;

/// <summary>
/// Where a policy optimisation stands after a step: weights, moments, and the best weights so far. Rollouts follow from step and seed, so
/// continuing from it gives what an undisturbed run gives. One safetensors file, replaced as a whole.
/// </summary>
internal sealed class ReinforcementState
{
    private const int Counters = 5;

    public int Step { get; set; }

    public double Before { get; set; }

    public double BestScore { get; set; }

    public int BestStep { get; set; }

    public required float[] Best { get; set; }

    /// <summary>What the alarms look at, by step; kept so that they find the same after a restart.</summary>
    public List<TrainingMoment> History { get; } = [];

    /// <summary>Tokens sampled to learn from so far.</summary>
    public long CompletionTokens { get; set; }

    public void Save(string path, FlatParameters parameters, AdamW optimizer, string digest) => TrainingState.Save(
        path, parameters, optimizer, average: null, digest,
        [
            SafeTensor.Singles("best", [parameters.Count], Best),
            SafeTensor.Integers("history", [History.Count, TrainingMoment.Fields], History.SelectMany(moment => moment.ToBits()).ToArray()),
            SafeTensor.Integers(
                "counters", [Counters], new[] { Step, BestStep, BitConverter.DoubleToInt64Bits(Before), BitConverter.DoubleToInt64Bits(BestScore), CompletionTokens }),
        ]);

    /// <exception cref="InvalidDataException">The file is not a state of this model or of this training.</exception>
    public static ReinforcementState Load(string path, FlatParameters parameters, AdamW optimizer, string digest)
    {
        ReinforcementState? state = null;
        TrainingState.Load(path, parameters, optimizer, average: null, digest, file => state = Read(file, path, parameters.Count));
        return state!;
    }

    private static ReinforcementState Read(SafeTensorsFile file, string path, int count)
    {
        long[] counters = file.ReadIntegers("counters");
        if (counters.Length != Counters) throw new InvalidDataException($"{path}: 'counters' has {counters.Length} values instead of {Counters}.");
        var state = new ReinforcementState
        {
            Step = checked((int)counters[0]),
            BestStep = checked((int)counters[1]),
            Before = BitConverter.Int64BitsToDouble(counters[2]),
            BestScore = BitConverter.Int64BitsToDouble(counters[3]),
            CompletionTokens = counters[4],
            Best = TrainingState.Read(file, path, "best", count),
        };
        foreach (long[] moment in file.ReadIntegers("history").Chunk(TrainingMoment.Fields)) state.History.Add(TrainingMoment.FromBits(moment));
        return state;
    }
}
