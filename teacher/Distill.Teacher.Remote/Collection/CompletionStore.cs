using System.Text.Json;
using System.Text.Json.Serialization;
using Distill.Storage;

namespace Distill.Teacher.Remote.Collection;

/// <summary>
/// Completions that were paid for, one small committed file each, named by the digest of the request (see <see cref="TeacherIdentity"/>).
/// What is in it is never asked for again: not after a kill, not by another run. Holds no key and no question. Safe for concurrent use by
/// threads and processes.
/// </summary>
internal sealed class CompletionStore(string folder)
{
    private const int Shard = 2;

    private static readonly JsonSerializerOptions Spelling = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, // what was kept before these fields existed keeps its digest
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <returns>Null when there is none, or none that can be read; a damaged file is removed, so that it can be written again.</returns>
    public StoredCompletion? Find(string request)
    {
        string path = PathOf(request);
        if (OptionalFile.TryRead(path) is not { } text) return null;
        try
        {
            var entry = JsonSerializer.Deserialize<Entry>(text, Spelling);
            if (entry?.Request == request && entry.Digest == DigestOf(entry.Completion)) return entry.Completion;
        }
        catch (JsonException)
        {
            // Damaged, as below.
        }

        File.Delete(path);
        return null;
    }

    /// <summary>Keeps a completion. Once this returns, it survives a kill and a power failure.</summary>
    /// <returns>What is kept: another's completion of the same request if that came first.</returns>
    /// <exception cref="IOException">The disk refused.</exception>
    public StoredCompletion Keep(string request, StoredCompletion completion)
    {
        byte[] content = JsonSerializer.SerializeToUtf8Bytes(new Entry(request, completion, DigestOf(completion)), Spelling);
        try
        {
            CommittedFile.WriteBytes(PathOf(request), content);
            return completion;
        }
        catch (CommitConflictException)
        {
            return Find(request) ?? Keep(request, completion);
        }
    }

    private static string DigestOf(StoredCompletion completion) => FileDigest.Of(JsonSerializer.SerializeToUtf8Bytes(completion, Spelling));

    private string PathOf(string request) => FileDigest.IsValid(request)
        ? Path.Combine(folder, request[..Shard], request + ".json")
        : throw new ArgumentException($"'{request}' is no digest.", nameof(request));

    private sealed record Entry(string Request, StoredCompletion Completion, string Digest);
}
