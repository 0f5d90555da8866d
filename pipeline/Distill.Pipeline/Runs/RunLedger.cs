using System.Text.Json;
using Distill.Data.Storage;
using Distill.Pipeline.Recipes;

namespace Distill.Pipeline.Runs;

/// <summary>What is known about a stage of a run beyond its artefact: how long it took and how fast it was.</summary>
/// <param name="Key">Of the artefact that was made.</param>
internal sealed record LedgerEntry(string Key, double Seconds, IReadOnlyDictionary<string, double> Measures, string? TakenFrom = null);

/// <summary><c>ledger.json</c> of a run: times and rates, which must not be part of artefacts. Losing it loses no result.</summary>
internal sealed class RunLedger
{
    private readonly string path;
    private readonly Dictionary<string, LedgerEntry> entries;

    private RunLedger(string path, Dictionary<string, LedgerEntry> entries) => (this.path, this.entries) = (path, entries);

    public static RunLedger Open(string path)
    {
        try
        {
            var read = File.Exists(path)
                ? JsonSerializer.Deserialize<Dictionary<string, LedgerEntry>>(File.ReadAllBytes(path), CanonicalJson.Spelling)
                : null;
            return new RunLedger(path, read ?? []);
        }
        catch (JsonException)
        {
            return new RunLedger(path, []); // times of an earlier version; the artefacts say what is finished
        }
    }

    public LedgerEntry? Find(string stage, string key) => entries.GetValueOrDefault(stage) is { } entry && entry.Key == key ? entry : null;

    public void Put(string stage, LedgerEntry entry)
    {
        entries[stage] = entry;
        ReplacedFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(entries, CanonicalJson.Spelling));
    }
}
