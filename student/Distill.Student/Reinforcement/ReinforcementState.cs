using Distill.Architecture;
using Distill.Student.Model;
using Distill.Student.Monitoring;

namespace Distill.Student.Reinforcement;

/// <summary>
/// Where a policy optimisation stands after a step: weights, moments, and the best weights so far. Rollouts follow from step and seed, so
/// continuing from it gives what an undisturbed run gives. One safetensors file, replaced as a whole. Dispose it.
/// </summary>
internal sealed class ReinforcementState : IDisposable
{
    private const int Counters = 7;

    public int Step { get; set; }

    public PolicyScore Before { get; set; }

    public PolicyScore BestScore { get; set; }

    public int BestStep { get; set; }

    public required KeptValues Best { get; set; }

    /// <summary>What the alarms look at, by step; kept so that they find the same after a restart.</summary>
    public List<TrainingMoment> History { get; } = [];

    /// <summary>Tokens sampled to learn from so far.</summary>
    public long CompletionTokens { get; set; }

    /// <summary>Makes the weights of the last step the best so far.</summary>
    public void Keep(PolicyScore score, Tensor weights)
    {
        Best.Dispose();
        (BestScore, Best, BestStep) = (score, KeptValues.Of(weights), Step);
    }

    public IEnumerable<SafeTensor> ToTensors() =>
    [
        TensorBytes.ToStore("best", Best.Values),
        SafeTensor.Integers("history", [History.Count, TrainingMoment.Fields], History.SelectMany(moment => moment.ToBits()).ToArray()),
        SafeTensor.Integers(
            "counters", [Counters],
            new[] { Step, BestStep, Bits(Before.Sampled), Bits(Before.Greedy), Bits(BestScore.Sampled), Bits(BestScore.Greedy),
                CompletionTokens }),
    ];

    /// <param name="count">Trained values.</param>
    /// <exception cref="InvalidDataException">The file is no state of a policy optimisation of this model.</exception>
    public static ReinforcementState Read(SafeTensorsFile file, long count)
    {
        long[] counters = file.ReadIntegers("counters");
        if (counters.Length != Counters)
            throw new InvalidDataException($"'counters' of '{file.File}' has {counters.Length} values instead of {Counters}");
        var state = new ReinforcementState
        {
            Step = checked((int)counters[0]),
            BestStep = checked((int)counters[1]),
            Before = Score(counters[2], counters[3]),
            BestScore = Score(counters[4], counters[5]),
            CompletionTokens = counters[6],
            Best = KeptValues.Empty(count),
        };
        TensorBytes.Read(file, "best", state.Best.Values);
        foreach (long[] moment in file.ReadIntegers("history").Chunk(TrainingMoment.Fields))
            state.History.Add(TrainingMoment.FromBits(moment));
        return state;
    }

    public void Dispose() => Best.Dispose();

    private static long Bits(double value) => BitConverter.DoubleToInt64Bits(value);

    private static PolicyScore Score(long sampled, long greedy) =>
        new(BitConverter.Int64BitsToDouble(sampled), BitConverter.Int64BitsToDouble(greedy));
}
