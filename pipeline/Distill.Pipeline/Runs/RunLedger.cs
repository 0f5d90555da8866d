using System.Text.Json;
using Distill.Pipeline.Planning;
using Distill.Pipeline.Recipes;
using Distill.Storage;

namespace Distill.Pipeline.Runs;

/// <summary>What is known about a stage of a run beyond its artefact: how long it took and how fast it was.</summary>
/// <param name="Key">Of the artefact that was made.</param>
internal sealed record LedgerEntry(string Key, double Seconds, IReadOnlyDictionary<string, double> Measures, string? TakenFrom = null)
{
    /// <summary>How much it did; null where the stage did not say, and in ledgers of earlier versions.</summary>
    public WorkDone? Work { get; init; }

    /// <summary>Of the process that finished it; null where that is all of them, and in ledgers of earlier versions.</summary>
    public double? OwnSeconds { get; init; }

    /// <summary>Whether other processes did a part of it, whose measures are not among these.</summary>
    public bool IsContinued { get; init; }

    /// <summary>Whether the time of such a part is not known.</summary>
    public bool IsUntimed { get; init; }

    /// <summary>Of a stage that is not finished: a process works on it, or was killed when it did.</summary>
    public bool IsAtWork { get; init; }
}

/// <summary><c>ledger.json</c> of a run: times and rates, which must not be part of artefacts. Losing it loses no result.</summary>
internal sealed class RunLedger
{
    /// <summary>Of the file beside it that a writer holds for a moment.</summary>
    public const string LockSuffix = ".lock";

    // Beside the entry of what was finished before, which stands until the new one is.
    private const string OpenSuffix = " (open)";

    private readonly string path;
    private Dictionary<string, LedgerEntry> entries;

    private RunLedger(string path, Dictionary<string, LedgerEntry> entries) => (this.path, this.entries) = (path, entries);

    public static RunLedger Open(string path) => new(path, Read(path));

    public LedgerEntry? Find(string stage, string key) => entries.GetValueOrDefault(stage) is { } entry && entry.Key == key ? entry : null;

    /// <summary>What earlier processes took for a stage that none has finished.</summary>
    public LedgerEntry? FindOpen(string stage, string key) => Find(stage + OpenSuffix, key);

    /// <summary>Keeps what other processes put there meanwhile.</summary>
    public void Put(string stage, LedgerEntry entry) => Change(current =>
    {
        current[stage] = entry;
        current.Remove(stage + OpenSuffix);
    });

    public void PutOpen(string stage, LedgerEntry entry) => Change(current => current[stage + OpenSuffix] = entry);

    private void Change(Action<Dictionary<string, LedgerEntry>> change)
    {
        using var right = FileLock.Take(path + LockSuffix, $"process {Environment.ProcessId}", _ => { }, CancellationToken.None);
        entries = Read(path);
        change(entries);
        ReplacedFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(entries, CanonicalJson.Spelling));
    }

    private static Dictionary<string, LedgerEntry> Read(string path)
    {
        if (OptionalFile.TryRead(path) is not { } text) return [];
        try
        {
            return JsonSerializer.Deserialize<Dictionary<string, LedgerEntry>>(text, CanonicalJson.Spelling) ?? [];
        }
        catch (JsonException)
        {
            return []; // times of an earlier version; the artefacts say what is finished
        }
    }
}
