using System.Globalization;

namespace Distill.Pipeline.Graph;

/// <summary>A fixed part of the units of every divided stage: those whose number leaves <paramref name="Index"/> when divided by
/// <paramref name="Count"/>.</summary>
/// <param name="Index">From 0.</param>
internal readonly record struct ShardNumber(int Index, int Count)
{
    /// <summary>Says how many shards there are where a scheduler only says which one this is.</summary>
    public const string CountVariable = "DISTILL_SHARDS";

    public const string Auto = "auto", Meaning = "i/n with i from 0 to n − 1, or auto";

    private const int Most = 100_000;

    // Who says which shard this is, the first of the series, and how many there are.
    private static readonly (string Index, string? First, string Count)[] Schedulers =
    [
        ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_COUNT"), ("JOB_COMPLETION_INDEX", null, CountVariable),
    ];

    /// <param name="text"><c>2/8</c>, or <c>auto</c> to ask the environment.</param>
    /// <param name="environment">Value of a variable; null where it is not set.</param>
    /// <param name="fault">What is wrong; empty where nothing is.</param>
    public static ShardNumber? Parse(string text, Func<string, string?> environment, out string fault)
    {
        if (text == Auto) return FromEnvironment(environment, out fault);
        string[] parts = text.Split('/');
        return parts.Length == 2 ? Of(parts[0], "0", parts[1], $"'{text}'", out fault) : Fault($"'{text}' is not {Meaning}", out fault);
    }

    /// <summary>Its units of so many.</summary>
    public IEnumerable<int> UnitsOf(int units)
    {
        for (int unit = Index; unit < units; unit += Count) yield return unit;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Index}/{Count}");

    private static ShardNumber? FromEnvironment(Func<string, string?> environment, out string fault)
    {
        foreach (var (index, first, count) in Schedulers)
        {
            if (environment(index) is not { Length: > 0 } number) continue;
            string series = environment(CountVariable) ?? environment(count) ?? "";
            return Of(number, (first is null ? null : environment(first)) ?? "0", series, $"{index}={number}, {count}={series}", out fault);
        }

        return Fault(
            "neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX is set: auto is for jobs of Slurm arrays and Indexed Jobs", out fault);
    }

    private static ShardNumber? Of(string index, string first, string count, string words, out string fault)
    {
        bool isNumber = int.TryParse(index, NumberStyles.None, CultureInfo.InvariantCulture, out int i);
        isNumber &= int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out int from);
        isNumber &= int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out int n);
        if (!isNumber) return Fault($"{words} is not {Meaning}", out fault);
        i -= from;
        if (n is < 1 or > Most || i < 0 || i >= n)
            return Fault($"{words} names no shard: with {n:N0} shards they are 0 to {n - 1:N0}", out fault);
        fault = "";
        return new ShardNumber(i, n);
    }

    private static ShardNumber? Fault(string words, out string fault)
    {
        fault = words;
        return null;
    }
}

/// <summary>The units of one shard, as if there were no others.</summary>
internal sealed class ShardWork(IStageWork work, ShardNumber shard) : IStageWork
{
    private readonly int[] units = [.. shard.UnitsOf(work.Units)];

    public int Units => units.Length;

    public bool IsDone(int unit) => work.IsDone(units[unit]);

    public void Run(IReadOnlyList<int> chosen, CancellationToken cancellation) =>
        work.Run([.. chosen.Select(unit => units[unit])], cancellation);

    public string Finish() => throw new InvalidOperationException("A shard alone makes no artefact.");

    public void Dispose()
    {
    }
}
