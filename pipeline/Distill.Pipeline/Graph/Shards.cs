using System.Globalization;
using System.Text.Json;
using Distill.Storage;
using Distill.Storage.Objects;

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

/// <summary>
/// What shards have made of one artefact: each in a folder of its own beside the store's artefacts, so that no two processes write to one.
/// A shard that has ended says which units it made; whoever finds that together they are all takes them over, each content checked, and
/// finishes the artefact as if it had made them itself. Shards of different counts may work on one artefact. Thread-safe between processes.
/// </summary>
internal sealed class ShardedUnits(ArtifactStore store, StoreKey key)
{
    private const string DoneName = ".done.json", LockSuffix = ".lock";

    private readonly string root = store.ShardsFolder(key);

    /// <param name="Units">Of the whole stage.</param>
    /// <param name="Made">Those of the shard.</param>
    private sealed record Done(int Units, int[] Made);

    public string FolderOf(ShardNumber shard) => FolderOfMaker($"{shard.Index}-of-{shard.Count}");

    /// <param name="maker">Who makes units there, as a plain file name.</param>
    public string FolderOfMaker(string maker) => Path.Combine(root, maker);

    /// <summary>The right to make a shard's units; waits while another process has it, which may be one that was taken for dead.</summary>
    public FileLock Lock(ShardNumber shard, string owner, Action<string> waiting, CancellationToken cancellation) =>
        FileLock.Take(LockOf(FolderOf(shard)), owner, waiting, cancellation);

    /// <summary>The right to make units in a folder.</summary>
    /// <returns>Null while another process has it.</returns>
    public FileLock? TryLock(string maker, string owner) => FileLock.TryTake(LockOf(FolderOfMaker(maker)), owner);

    public bool IsDone(ShardNumber shard) => Read(FolderOf(shard)) is not null || Elsewhere().ContainsKey(NameOf(shard));

    /// <param name="units">Of the whole stage.</param>
    public void Finish(ShardNumber shard, int units)
    {
        byte[] text = JsonSerializer.SerializeToUtf8Bytes(new Done(units, [.. shard.UnitsOf(units)]));
        ReplacedFile.Write(Path.Combine(FolderOf(shard), DoneName), text);
        Shared?.Finish(NameOf(shard), text);
    }

    /// <summary>How many units no shard has made yet; null where none has ended.</summary>
    public int? Missing()
    {
        Done[] done = [.. Folders().Select(Read).OfType<Done>(), .. Elsewhere().Values];
        return done.Length == 0 ? null : done[0].Units - done.SelectMany(shard => shard.Made).Distinct().Count();
    }

    /// <summary>Takes over the units that any shard has made, finished or not.</summary>
    /// <param name="damaged">Told of those that are not what was written; they are made again.</param>
    public void Join(ArtifactWriter writer, Action<string> damaged)
    {
        foreach (string folder in Folders()) writer.Join(folder, damaged);
    }

    /// <summary>Removes what was joined. A shard that another process still works on stays; that one removes it.</summary>
    public void Remove()
    {
        if (!Directory.Exists(root)) return;
        foreach (string folder in Folders())
        {
            using var held = FileLock.TryTake(LockOf(folder), "removing what was joined");
            if (held is null) continue;
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true); // else another one removed it just now
        }

        try
        {
            Directory.Delete(root);
        }
        catch (IOException) when (!Directory.Exists(root) || Directory.EnumerateFileSystemEntries(root).Any())
        {
            // Another one removed it, or a shard has begun in it: then it is that one's.
        }
    }

    // Beside the folder of all, which can so be removed while others take their locks. Locks stay: another one may have opened them.
    private string LockOf(string folder) => $"{root}.{Path.GetFileName(folder)}{LockSuffix}";

    private IReadOnlyList<string> Folders() => OptionalFolder.Folders(root);

    private static string NameOf(ShardNumber shard) => $"{shard.Index}-of-{shard.Count}";

    private SharedParts? Shared => store.PartsOf(key, _ => { }, CancellationToken.None);

    /// <summary>What shards on machines that do not see this folder have ended.</summary>
    private IReadOnlyDictionary<string, Done> Elsewhere()
    {
        var ended = new Dictionary<string, Done>(StringComparer.Ordinal);
        foreach (var (name, record) in Shared?.Finished() ?? new Dictionary<string, byte[]>())
        {
            try
            {
                if (JsonSerializer.Deserialize<Done>(record) is { Made: not null } done) ended[name] = done;
            }
            catch (JsonException)
            {
                // Written by nobody of ours: that shard has not ended.
            }
        }

        return ended;
    }

    private static Done? Read(string folder) =>
        OptionalFile.TryRead(Path.Combine(folder, DoneName)) is { } text ? JsonSerializer.Deserialize<Done>(text) : null;
}
