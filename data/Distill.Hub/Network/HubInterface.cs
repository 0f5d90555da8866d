using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Distill.Hub.Network;

/// <summary>A file of a repository at one commit.</summary>
/// <param name="Path">With slashes; as the server says it, not yet checked.</param>
/// <param name="Sha256">Of large files (LFS), which lie outside of git; null for those in git.</param>
/// <param name="BlobId">git's SHA-1 of the file, or of the pointer that stands for a large one.</param>
internal sealed record HubFile(string Path, long Size, string BlobId, string? Sha256)
{
    /// <summary>What the Hub sends as its ETag and the cache names it by.</summary>
    public string ETag => Sha256 ?? BlobId;
}

/// <summary>The Hub's JSON interface, as its OpenAPI description and huggingface_hub use it. Thread-safe.</summary>
internal sealed class HubInterface(HubConnection connection, HubRetry retry, HubOptions options, TimeProvider clock)
{
    private const string Plain = "application/json";

    private const int LargestAnswer = 64 << 20, MostFiles = 1_000_000;

    private static readonly JsonDocumentOptions Reading = new() { MaxDepth = 32 };

    /// <summary>The commit that a branch, a tag or a short commit means now.</summary>
    /// <returns>40 hexadecimal digits; null of a repository without commits.</returns>
    public async Task<string?> CommitOfAsync(HubReference what, CancellationToken cancellation)
    {
        using var info = await GetAsync(connection.At($"{Api(what)}/revision/{Revision(what)}"), what, cancellation).ConfigureAwait(false);
        string? commit = info.Document.RootElement is { ValueKind: JsonValueKind.Object } root && root.TryGetProperty("sha", out var sha)
            && sha.ValueKind == JsonValueKind.String ? sha.GetString() : null;
        return commit is null || IsCommit(commit) ? commit : throw Malformed("a commit");
    }

    /// <summary>Every file of a commit. The listing comes in pages; each names the next in its <c>Link</c> header.</summary>
    public async Task<IReadOnlyList<HubFile>> FilesOfAsync(HubReference what, CancellationToken cancellation)
    {
        var files = new List<HubFile>();
        Uri? page = connection.At($"{Api(what)}/tree/{Revision(what)}?recursive=true&expand=false");
        var seen = new HashSet<Uri>();
        while (page is not null)
        {
            if (!seen.Add(page)) throw Malformed("a listing: a page names itself as the next");
            using var listing = await GetAsync(page, what, cancellation).ConfigureAwait(false);
            if (listing.Document.RootElement.ValueKind != JsonValueKind.Array) throw Malformed("a listing");
            foreach (var entry in listing.Document.RootElement.EnumerateArray())
            {
                if (FileOf(entry) is { } file) files.Add(file);
            }

            if (files.Count > MostFiles) throw Malformed($"a listing: more than {MostFiles:N0} files");
            page = listing.Next is { } next ? connection.Named(next, page) : null;
        }

        return files;
    }

    /// <summary>Where a file's content is.</summary>
    public Uri AddressOf(HubReference what, string path) => connection.At(
        $"/{(what.Kind == HubKind.DataSet ? "datasets/" : "")}{what.Repository}/resolve/{Revision(what)}/{RepositoryPath.Escape(path)}");

    /// <summary>Where git's large files of a repository are asked about.</summary>
    public Uri LargeFilesOf(HubReference what) =>
        connection.At($"/{(what.Kind == HubKind.DataSet ? "datasets/" : "")}{what.Repository}.git/info/lfs/objects/batch");

    /// <inheritdoc cref="HubConnection.At"/>
    public Uri At(string path) => connection.At(path);

    /// <param name="action">E.g. <c>commit/main</c>; escaped.</param>
    public Uri ActionOf(HubReference what, string action) => connection.At($"{Api(what)}/{action}");

    /// <summary>Asks with JSON; see <see cref="PostAsync"/>.</summary>
    public Task<JsonNode?> AskAsync(
        Uri address, JsonNode question, HubReference what, CancellationToken cancellation, string mediaType = Plain)
    {
        byte[] asked = Encoding.UTF8.GetBytes(question.ToJsonString());
        HttpContent Content() => new ByteArrayContent(asked) { Headers = { ContentType = new MediaTypeHeaderValue(mediaType) } };
        return PostAsync(address, Content, what, cancellation, mediaType);
    }

    /// <summary>
    /// A request that is answered with JSON. Tried again where that may help, with content made anew: only for what may be done twice.
    /// </summary>
    /// <exception cref="HubException">The Hub refuses, or answers with something else.</exception>
    public Task<JsonNode?> PostAsync(
        Uri address, Func<HttpContent> content, HubReference what, CancellationToken cancellation, string accept = Plain) =>
        retry.RunAsync(async token =>
        {
            using var answer = await connection.SendAsync(address, to => Request(HttpMethod.Post, to, content(), accept), token)
                .ConfigureAwait(false);
            HubFaults.ThrowIfRefused(answer, what, options, clock);
            byte[] body = await BodyAsync(answer, token).ConfigureAwait(false);
            return body.Length == 0 ? null : Parse(body, bytes => JsonNode.Parse(bytes, null, Reading));
        }, cancellation);

    public static string Revision(HubReference what) => Uri.EscapeDataString(what.RevisionOrMain);

    public static bool IsCommit(string text) => text.Length == 40 && text.All(char.IsAsciiHexDigitLower);

    internal static HttpRequestMessage Request(HttpMethod method, Uri address, HttpContent? content, string? accept)
    {
        var request = new HttpRequestMessage(method, address) { Content = content };
        if (accept is not null) request.Headers.Accept.ParseAdd(accept);
        return request;
    }

    private Task<Page> GetAsync(Uri address, HubReference what, CancellationToken cancellation) => retry.RunAsync(async token =>
    {
        using var answer = await connection.SendAsync(
            address, to => Request(HttpMethod.Get, to, null, Plain), token).ConfigureAwait(false);
        HubFaults.ThrowIfRefused(answer, what, options, clock);
        byte[] body = await BodyAsync(answer, token).ConfigureAwait(false);
        return new Page(Parse(body, bytes => JsonDocument.Parse(bytes, Reading)), NextOf(HubFaults.HeaderOf(answer, "Link")));
    }, cancellation);

    private async Task<byte[]> BodyAsync(HttpResponseMessage answer, CancellationToken cancellation)
    {
        await using var body = await answer.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        using var whole = new MemoryStream();
        byte[] buffer = new byte[1 << 16];
        int read;
        while ((read = await connection.ReadAsync(body, buffer, cancellation).ConfigureAwait(false)) > 0)
        {
            whole.Write(buffer, 0, read);
            if (whole.Length > LargestAnswer) throw Malformed($"an answer: more than {LargestAnswer >> 20} MiB");
        }

        return whole.ToArray();
    }

    private T Parse<T>(byte[] body, Func<byte[], T> parse)
    {
        try
        {
            return parse(body);
        }
        catch (JsonException fault)
        {
            // A page of a proxy or a gateway, mostly: it goes away.
            throw new HubException(HubFault.ServerFault, $"{options.Endpoint.Host} answers with something that is no JSON; a proxy or "
                + "a portal may stand in between.", fault);
        }
    }

    private HubFile? FileOf(JsonElement entry)
    {
        if (Text(entry, "type") is not "file") return null;
        bool isLarge = entry.TryGetProperty("lfs", out var lfs) && lfs.ValueKind == JsonValueKind.Object;
        string? sha256 = isLarge ? Text(lfs, "oid") ?? "" : null;
        var file = new HubFile(Text(entry, "path") ?? "", Number(isLarge ? lfs : entry, "size"), Text(entry, "oid") ?? "", sha256);
        bool isKnown = file is { Path.Length: > 0, Size: >= 0 } && IsHex(file.BlobId, 40) && (sha256 is null || IsHex(sha256, 64));
        return isKnown ? file : throw Malformed("a file of a listing");
    }

    private HubException Malformed(string what) =>
        new(HubFault.BadAnswer, $"{options.Endpoint.Host} does not answer as a Hub does: this cannot be {what}. Is HF_ENDPOINT right?");

    private static string Api(HubReference what) => $"/api/{what.KindWord}/{what.Repository}";

    private static string? NextOf(string link)
    {
        foreach (string part in link.Split(','))
        {
            string[] words = part.Split(';');
            if (words.Skip(1).Any(word => word.Trim() is "rel=\"next\"" or "rel=next")) return words[0].Trim().TrimStart('<').TrimEnd('>');
        }

        return null;
    }

    private static string? Text(JsonElement entry, string name) =>
        entry.ValueKind == JsonValueKind.Object && entry.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString() : null;

    private static long Number(JsonElement entry, string name) =>
        entry.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number)
            ? number : -1;

    private static bool IsHex(string text, int length) => text.Length == length && text.All(char.IsAsciiHexDigitLower);

    private sealed record Page(JsonDocument Document, string? Next) : IDisposable
    {
        public void Dispose() => Document.Dispose();
    }
}
