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
    public int Step { get; set; }

    public double Before { get; set; }

    public double BestScore { get; set; }

    public int BestStep { get; set; }

    public required float[] Best { get; set; }

    /// <summary>What the alarms look at, by step; kept so that they find the same after a restart.</summary>
    public List<TrainingMoment> History { get; } = [];

    public void Save(string path, FlatParameters parameters, AdamW optimizer)
    {
        long[] shape = [parameters.Count];
        string temporary = path + ".tmp";
        SafeTensorsWriter.Write(
            temporary,
            [
                SafeTensor.Singles("weights", shape, parameters.Span.ToArray()),
                SafeTensor.Singles("first_moment", shape, optimizer.FirstMoment),
                SafeTensor.Singles("second_moment", shape, optimizer.SecondMoment),
                SafeTensor.Singles("best", shape, Best),
                SafeTensor.Integers("history", [History.Count, TrainingMoment.Fields], History.SelectMany(moment => moment.ToBits()).ToArray()),
                SafeTensor.Integers("counters", [5], new[] { Step, optimizer.Steps, BestStep, BitConverter.DoubleToInt64Bits(Before), BitConverter.DoubleToInt64Bits(BestScore) }),
            ]);
        File.Move(temporary, path, overwrite: true);
    }

    /// <exception cref="InvalidDataException">The file is not a state of this model.</exception>
    public static ReinforcementState Load(string path, FlatParameters parameters, AdamW optimizer)
    {
        using var file = SafeTensorsFile.Open(path);
        float[] Values(string name)
        {
            float[] values = file.ReadSingles(name);
            return values.Length == parameters.Count ? values : throw new InvalidDataException($"{path}: '{name}' has {values.Length} values; this model has {parameters.Count}.");
        }

        Values("weights").CopyTo(parameters.Span);
        Values("first_moment").CopyTo(optimizer.FirstMoment, 0);
        Values("second_moment").CopyTo(optimizer.SecondMoment, 0);
        long[] counters = file.ReadIntegers("counters");
        if (counters.Length != 5) throw new InvalidDataException($"{path}: 'counters' has {counters.Length} values instead of 5.");
        optimizer.Steps = checked((int)counters[1]);
        var state = new ReinforcementState
        {
            Step = checked((int)counters[0]),
            BestStep = checked((int)counters[2]),
            Before = BitConverter.Int64BitsToDouble(counters[3]),
            BestScore = BitConverter.Int64BitsToDouble(counters[4]),
            Best = Values("best"),
        };
        long[] history = file.Contains("history") ? file.ReadIntegers("history") : [];
        foreach (long[] moment in history.Chunk(TrainingMoment.Fields)) state.History.Add(TrainingMoment.FromBits(moment));
        return state;
    }
}
