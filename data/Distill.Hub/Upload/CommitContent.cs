using System.Buffers.Text;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Distill.Hub.Network;

namespace Distill.Hub.Upload;

/// <summary>
/// The body of a commit: one JSON object a line, first its message, then a line for each file. Small files come with their content in
/// base64, large ones by the digest under which they were sent. Files are read while the body is sent, not before.
/// </summary>
internal sealed class CommitContent
{
    private const int Piece = 3 << 16; // whole groups of three bytes

    private static readonly JsonSerializerOptions Spelling = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly byte[] header;
    private readonly IReadOnlyList<(byte[] Before, LocalFile? Content, byte[] After)> lines;

    /// <param name="parent">The commit that this one must follow; the Hub refuses when the branch has moved on. Null for the first.</param>
    public CommitContent(string message, string? parent, IReadOnlyList<LocalFile> small, IReadOnlyList<LocalFile> large)
    {
        var value = new JsonObject { ["summary"] = message, ["description"] = "" };
        if (parent is not null) value["parentCommit"] = parent;
        header = Line(new JsonObject { ["key"] = "header", ["value"] = value });
        lines = [.. small.Select(OfSmall), .. large.Select(OfLarge)];
    }

    private long Length => header.Length
        + lines.Sum(line => line.Before.Length + line.After.Length + (line.Content is { } file ? Encoded(file.Size) : 0));

    /// <param name="copied">Told how many bytes of files were sent.</param>
    public HttpContent ToHttp(Action<long> copied)
    {
        var content = new SentContent(Length, (stream, cancellation) => WriteAsync(stream, copied, cancellation));
        content.Headers.ContentType = new("application/x-ndjson");
        return content;
    }

    private async Task WriteAsync(Stream stream, Action<long> copied, CancellationToken cancellation)
    {
        await stream.WriteAsync(header, cancellation).ConfigureAwait(false);
        foreach (var (before, file, after) in lines)
        {
            await stream.WriteAsync(before, cancellation).ConfigureAwait(false);
            if (file is not null) await EncodeAsync(file, stream, copied, cancellation).ConfigureAwait(false);
            await stream.WriteAsync(after, cancellation).ConfigureAwait(false);
        }
    }

    private static async Task EncodeAsync(LocalFile file, Stream stream, Action<long> copied, CancellationToken cancellation)
    {
        byte[] encoded = new byte[Encoded(Piece)];
        for (long at = 0; at < file.Size; at += Piece)
        {
            using var piece = new MemoryStream(Piece);
            await file.CopyAsync(piece, at, Math.Min(Piece, file.Size - at), copied, cancellation).ConfigureAwait(false);
            Base64.EncodeToUtf8(piece.GetBuffer().AsSpan(0, (int)piece.Length), encoded, out _, out int written);
            await stream.WriteAsync(encoded.AsMemory(0, written), cancellation).ConfigureAwait(false);
        }
    }

    private static (byte[] Before, LocalFile? Content, byte[] After) OfSmall(LocalFile file) => (
        "{\"key\":\"file\",\"value\":{\"content\":\""u8.ToArray(), file,
        Encoding.UTF8.GetBytes("\",\"path\":" + JsonSerializer.Serialize(file.Path, Spelling) + ",\"encoding\":\"base64\"}}\n"));

    private static (byte[] Before, LocalFile? Content, byte[] After) OfLarge(LocalFile file)
    {
        var value = new JsonObject { ["path"] = file.Path, ["algo"] = "sha256", ["oid"] = file.Sha256, ["size"] = file.Size };
        return (Line(new JsonObject { ["key"] = "lfsFile", ["value"] = value }), null, []);
    }

    private static byte[] Line(JsonObject line) => Encoding.UTF8.GetBytes(line.ToJsonString(Spelling) + "\n");

    private static long Encoded(long size) => (size + 2) / 3 * 4;
}
