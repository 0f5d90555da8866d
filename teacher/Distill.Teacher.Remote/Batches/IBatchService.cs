using System.Text.Json.Serialization;
using Distill.Teacher.Remote.Collection;

namespace Distill.Teacher.Remote.Batches;

/// <summary>Which batch interface an endpoint has: answers within a day at half the price.</summary>
internal enum BatchInterface
{
    /// <summary>Requests one by one.</summary>
    None,

    /// <summary>Files and <c>/batches</c>, as OpenAI has them and others imitate.</summary>
    [JsonStringEnumMemberName("openai")]
    OpenAI,

    /// <summary><c>/messages/batches</c>.</summary>
    Anthropic,
}

/// <summary>A completion to be asked for in a batch.</summary>
/// <param name="Id">Its name in the store, which is also its name in the batch: results say by themselves what they answer.</param>
internal sealed record BatchRequest(string Id, RemotePrompt Prompt, ulong Seed);

/// <summary>How far a batch is.</summary>
/// <param name="Total">Requests in it; null where the service does not say yet.</param>
/// <param name="Done">Of these answered or failed.</param>
internal sealed record BatchStatus(string Id, BatchPhase Phase, DateTimeOffset Created, int? Total, int Done)
{
    /// <summary>Why nothing of it was done; of <see cref="BatchPhase.Failed"/>.</summary>
    public RemoteTeacherException? Fault { get; init; }

    /// <summary>Paths that hold its lines, once it has ended.</summary>
    public IReadOnlyList<string> Results { get; init; } = [];
}

internal enum BatchPhase
{
    UnderWay,
    Completed,

    /// <summary>Its day ran out; what was answered until then is there.</summary>
    Expired,

    /// <summary>Somebody cancelled it; likewise.</summary>
    Cancelled,

    /// <summary>It was not accepted, and nothing of it was done.</summary>
    Failed,
}

/// <summary>One line of a batch's results: a completion or why there is none.</summary>
/// <param name="Id">As the line says; any text.</param>
/// <param name="Completion">Null where there is none.</param>
/// <param name="Fault">Null where there is a completion.</param>
internal sealed record BatchLine(string Id, StoredCompletion? Completion, RemoteTeacherException? Fault)
{
    /// <summary>Tokens that were not counted by the service are missing here.</summary>
    public bool IsCounted { get; init; }
}

/// <summary>A batch interface. Every method is one step that may fail or be cut off; none repeats what costs money. Thread-safe.</summary>
internal interface IBatchService : IDisposable
{
    /// <summary>Most requests of one batch.</summary>
    int MostRequests { get; }

    /// <summary>Most bytes of one batch.</summary>
    long MostBytes { get; }

    /// <summary>A request as it is sent, without line feeds.</summary>
    byte[] Line(BatchRequest request);

    /// <param name="name">Given to the batch where the service keeps names.</param>
    /// <returns>The batch's id.</returns>
    /// <exception cref="RemoteTeacherException">
    /// A transient one leaves open whether the batch was accepted: <see cref="FindAsync"/> tells.
    /// </exception>
    Task<string> CreateAsync(string name, IReadOnlyList<BatchRequest> requests, CancellationToken cancellation);

    /// <summary>Batches that may be the one that was to be created under a name, since some time.</summary>
    /// <param name="count">Requests in it.</param>
    Task<IReadOnlyList<BatchStatus>> FindAsync(string name, int count, DateTimeOffset since, CancellationToken cancellation);

    /// <summary>Whether what <see cref="FindAsync"/> finds is it for certain: by its name, and not by its requests.</summary>
    bool FindsByName { get; }

    Task<BatchStatus> StatusAsync(string id, CancellationToken cancellation);

    /// <summary>The lines at one of <see cref="BatchStatus.Results"/>; null for one that makes no sense.</summary>
    /// <exception cref="RemoteTeacherException">They broke off, or are no lines of results.</exception>
    IAsyncEnumerable<BatchLine?> ResultsAsync(string path, CancellationToken cancellation);
}
