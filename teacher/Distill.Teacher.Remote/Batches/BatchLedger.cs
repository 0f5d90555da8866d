using System.Globalization;
using System.Text;
using System.Text.Json;
using Distill.Storage;

namespace Distill.Teacher.Remote.Batches;

/// <summary>A batch as it was meant: written before anything is sent, and never changed.</summary>
/// <param name="Name">Also the batch's, where the service keeps names.</param>
/// <param name="Form">Digest of how requests are put; what a service refused in another form says nothing of this one.</param>
/// <param name="Requests">Digests, which are the ids of the batch's lines. No question and no key stands in a ledger.</param>
internal sealed record BatchIntent(
    int Version, string Name, string Form, DateTimeOffset Created, IReadOnlyList<string> Requests);

/// <summary>What became of a batch once every line of it is accounted for.</summary>
/// <param name="Batch">Its id; empty for one that was never submitted.</param>
/// <param name="Answered">Lines with a completion, each kept in the store.</param>
/// <param name="Refused">Lines that will never be taken as they are, with the service's reason.</param>
/// <param name="Failed">Lines that failed, expired or were cancelled: asked again where they are still wanted.</param>
/// <param name="Missing">Requests without any line: likewise.</param>
/// <param name="Foreign">Lines with ids that are none of its requests.</param>
/// <param name="Duplicates">Further lines of a request; the first one counts.</param>
/// <param name="Damaged">Lines that cannot be read.</param>
internal sealed record BatchOutcome(
    string Batch, string Phase, int Answered, IReadOnlyDictionary<string, string> Refused, int Failed, int Missing, int Foreign,
    int Duplicates, int Damaged);

/// <summary>
/// Which batches were begun, submitted and finished, in a folder of small committed files; so whatever dies, the next run knows what may
/// have been paid for. Safe for concurrent use by threads; processes take <see cref="Take"/> before they begin one.
/// </summary>
internal sealed class BatchLedger(string folder)
{
    private const int Version = 1;

    private const string Intent = "intent.json", Submitted = "batch.json", Finished = "outcome.json", Refuted = "not-";

    private static readonly JsonSerializerOptions Spelling = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>Held while batches are begun, so that two processes never submit one request each.</summary>
    /// <param name="waiting">Told who holds it, when that is somebody else.</param>
    public FileLock Take(Action<string> waiting, CancellationToken cancellation) =>
        FileLock.Take(Path.Combine(folder, "lock"), "a run that submits batches", waiting, cancellation);

    /// <summary>Batches with lines that are not accounted for, in the order they were begun.</summary>
    /// <exception cref="InvalidDataException">A file is damaged: the message says which.</exception>
    public IReadOnlyList<BatchIntent> Open() =>
    [
        .. Folders().Where(path => !File.Exists(Path.Combine(path, Finished)))
            .Select(path => Read<BatchIntent>(Path.Combine(path, Intent))),
    ];

    /// <summary>What finished batches were refused in a form, by request; none of a batch of which most was refused.</summary>
    public IReadOnlyDictionary<string, string> Refusals(string form)
    {
        var refused = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string path in Folders().Where(path => File.Exists(Path.Combine(path, Finished))))
        {
            var outcome = Read<BatchOutcome>(Path.Combine(path, Finished));
            if (outcome.Refused.Count == 0 || outcome.Refused.Count > outcome.Answered) continue;
            if (Read<BatchIntent>(Path.Combine(path, Intent)).Form != form) continue;
            foreach (var (request, reason) in outcome.Refused) refused[request] = reason;
        }

        return refused;
    }

    /// <summary>Records that a batch is about to be submitted. Once this returns, that survives a power failure.</summary>
    public BatchIntent Begin(string form, IReadOnlyList<string> requests, DateTimeOffset now)
    {
        int number = Folders().Count() + 1;
        // The time too: the same requests may be submitted from another folder, and the name is looked for in the whole account.
        string[] parts = [.. requests, form, now.UtcTicks.ToString(CultureInfo.InvariantCulture)];
        string digest = FileDigest.Of(JsonSerializer.SerializeToUtf8Bytes(parts))[..16];
        string name = string.Create(CultureInfo.InvariantCulture, $"{number:D6}-{digest}");
        var intent = new BatchIntent(Version, name, form, now, requests);
        Write(name, Intent, intent);
        return intent;
    }

    /// <summary>The batch's id; null while it is not known whether it was submitted.</summary>
    public string? IdOf(BatchIntent intent)
    {
        string path = Path.Combine(folder, intent.Name, Submitted);
        return File.Exists(path) ? Read<string>(path) : null;
    }

    public void Submit(BatchIntent intent, string id) => Write(intent.Name, Submitted, id);

    /// <summary>A batch that looked like it is not it.</summary>
    public void Refute(BatchIntent intent, string id) => 
        Write(intent.Name, $"{Refuted}{FileDigest.Of(Encoding.UTF8.GetBytes(id))[..16]}.json", id);

    /// <summary>Ids that are known to belong to something else.</summary>
    public IReadOnlySet<string> OthersOf(BatchIntent intent) =>
        Folders().Select(path => Path.Combine(path, Submitted)).Where(File.Exists)
            .Concat(Directory.EnumerateFiles(Path.Combine(folder, intent.Name), Refuted + "*.json")).Select(Read<string>)
            .ToHashSet(StringComparer.Ordinal);

    public void Finish(BatchIntent intent, BatchOutcome outcome)
    {
        try
        {
            Write(intent.Name, Finished, outcome);
        }
        catch (CommitConflictException)
        {
            // Another process has accounted for the same lines.
        }
    }

    private IEnumerable<string> Folders() => Directory.Exists(folder)
        ? Directory.EnumerateDirectories(folder).Where(path => File.Exists(Path.Combine(path, Intent))).Order(StringComparer.Ordinal)
        : [];

    private void Write<T>(string name, string file, T content) =>
        CommittedFile.WriteBytes(Path.Combine(folder, name, file), JsonSerializer.SerializeToUtf8Bytes(content, Spelling));

    private static T Read<T>(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(File.ReadAllBytes(path), Spelling) ?? throw new JsonException();
        }
        catch (JsonException)
        {
            throw new InvalidDataException(
                $"'{path}' is damaged. It tells of a batch that may have been paid for: look at the list of batches of your account, then "
                + $"delete the folder '{Path.GetDirectoryName(path)}' to have its requests submitted again.");
        }
    }
}
