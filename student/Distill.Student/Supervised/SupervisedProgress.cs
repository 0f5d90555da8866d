using Distill.Architecture;
using Distill.Student.Model;
using Distill.Student.Training;

namespace Distill.Student.Supervised;

/// <summary>
/// What a supervised training carries along beside weights and moments: counts, looks at held-out data, the best weights. One thread;
/// dispose it.
/// </summary>
internal sealed class SupervisedProgress : IDisposable
{
    private const int LookFields = 2;

    private readonly List<HeldOutLook> looks = [];
    private KeptValues? best; // trained values of the best look

    public long Tokens { get; private set; }

    public long LearnedTokens { get; private set; }

    public HeldOutLook? First => looks.Count == 0 ? null : looks[0];

    public HeldOutLook? Last => looks.Count == 0 ? null : looks[^1];

    public HeldOutLook? Best { get; private set; }

    /// <summary>Looks since the best one.</summary>
    public int LooksSinceBest => Best is null ? 0 : looks.Count - 1 - looks.IndexOf(Best);

    /// <summary>Trained values of the best look; there must have been one.</summary>
    public KeptValues BestValues => best!;

    public void Count(StepReport report)
    {
        Tokens += report.Tokens;
        LearnedTokens += report.LearnedTokens;
    }

    /// <param name="values">The trained values that were looked at; kept when they are the best, the earliest among equals.</param>
    public void Add(HeldOutLook look, bool higherIsBetter, Tensor values)
    {
        looks.Add(look);
        // A value that is no number is never the best, unless there is none yet.
        if (Best is not null && !(higherIsBetter ? look.Value > Best.Value : look.Value < Best.Value) && !double.IsNaN(Best.Value)) return;
        best?.Dispose();
        (Best, best) = (look, KeptValues.Of(values));
    }

    public IEnumerable<SafeTensor> ToTensors() =>
    [
        SafeTensor.Integers("tokens", [2], new[] { Tokens, LearnedTokens }),
        .. looks.Count == 0 ? [] : (SafeTensor[])
        [
            SafeTensor.Integers(
                "looks", [looks.Count, LookFields],
                looks.SelectMany(look => (long[])[look.Step, BitConverter.DoubleToInt64Bits(look.Value)]).ToArray()),
            SafeTensor.Integers("best_look", [1], new long[] { looks.IndexOf(Best!) }),
            TensorBytes.ToStore("best", best!.Values),
        ],
    ];

    /// <param name="count">Trained values.</param>
    public void Restore(SafeTensorsFile file, long count)
    {
        long[] tokens = file.ReadIntegers("tokens");
        (Tokens, LearnedTokens) = (tokens[0], tokens[1]);
        if (!file.Contains("looks")) return;
        foreach (long[] look in file.ReadIntegers("looks").Chunk(LookFields))
            looks.Add(new HeldOutLook(checked((int)look[0]), BitConverter.Int64BitsToDouble(look[1])));
        Best = looks[checked((int)file.ReadIntegers("best_look")[0])];
        best = KeptValues.Empty(count);
        TensorBytes.Read(file, "best", best.Values);
    }

    public void Dispose() => best?.Dispose();
}
