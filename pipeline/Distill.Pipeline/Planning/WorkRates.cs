using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Distill.Pipeline.Diagnosis;
using Distill.Pipeline.Recipes;
using Distill.Storage;

namespace Distill.Pipeline.Planning;

/// <summary>
/// What stages took on this machine, kept beside the artefacts of a folder of runs, one file a machine: a store that several machines
/// share does not mix their speeds. Losing the file loses predictions and no result. Two processes that add at once may lose one of the
/// two records. One thread.
/// </summary>
internal sealed class WorkRates
{
    /// <summary>Of like work; what is older says less of the machine as it is now.</summary>
    private const int RecordsKept = 8;

    private const int MostRecords = 400, MostBytes = 1 << 20;

    private readonly string path;
    private List<WorkRecord> records;

    private WorkRates(string path, List<WorkRecord> records) => (this.path, this.records) = (path, records);

    /// <summary>Newest last.</summary>
    public IReadOnlyList<WorkRecord> Records => records;

    /// <param name="store">Folder of the store; nothing is created before something is added.</param>
    public static WorkRates Open(string store) => OpenFile(Path.Combine(store, ".rates", $"{ThisMachine.Value}.json"));

    internal static WorkRates OpenFile(string path) => new(path, Read(path));

    public void Add(WorkRecord record)
    {
        if (!record.IsSound) return;
        var current = Read(path);
        current.Add(record);
        records = [.. Trimmed(current)];
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        ReplacedFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(records, CanonicalJson.Spelling));
    }

    private static IEnumerable<WorkRecord> Trimmed(List<WorkRecord> all)
    {
        var kept = all.AsEnumerable().Reverse()
            .GroupBy(record => (record.Stage, record.Recipe, record.Kind, record.Model, record.Device, record.Setting))
            .SelectMany(like => like.Take(RecordsKept)).ToHashSet(ReferenceEqualityComparer.Instance);
        return all.Where(kept.Contains).TakeLast(MostRecords);
    }

    // What cannot be read is what an earlier version or a failing disk left: the next run measures again.
    private static List<WorkRecord> Read(string path)
    {
        if (OptionalFile.TryRead(path, MostBytes) is not { } text) return [];
        try
        {
            var read = JsonSerializer.Deserialize<List<WorkRecord?>>(text, CanonicalJson.Spelling);
            return [.. (read ?? []).OfType<WorkRecord>().Where(record => record.IsSound)];
        }
        catch (JsonException)
        {
            return [];
        }
    }

    // The processor and how much of the machine the process may use: what decides the speed and no name of a host.
    private static Lazy<string> ThisMachine { get; } = new(() =>
    {
        string machine = $"{MachineDiagnosis.ProcessorName()}\0{Environment.ProcessorCount}\0{ResourceCheck.MemoryLimit >> 30}";
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(machine)))[..16];
    });
}
