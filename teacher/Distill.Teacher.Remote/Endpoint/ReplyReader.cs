using System.Net.Mime;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text;
using Distill.Teacher.Remote.Network;
using Microsoft.Extensions.AI;

namespace Distill.Teacher.Remote.Endpoint;

/// <summary>
/// Response → pieces of the answer, whether it comes as server-sent events or as one JSON object (which is also how servers without
/// streaming answer a request for it). An answer without a finish reason broke off, however cleanly the connection was closed.
/// </summary>
internal sealed class ReplyReader(long maxBytes, ApiKey? key, TimeProvider clock)
{
    private const string EndMark = "[DONE]";

    public async IAsyncEnumerable<ReplyChunk> ReadAsync(
        HttpResponseMessage response, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var content = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
        {
            yield return await RefusalAsync(response, content, cancellation).ConfigureAwait(false);
            yield break;
        }

        using var body = new BoundedStream(content, maxBytes);
        bool isFinished = false;
        await foreach (var piece in PiecesAsync(response, body, cancellation).ConfigureAwait(false))
        {
            isFinished |= piece.Finish is not null;
            yield return piece;
        }

        if (!isFinished)
            throw new RemoteTeacherException(RemoteFaultKind.Damaged, "The endpoint's answer broke off: it has no finish reason.");
    }

    private async IAsyncEnumerable<ReplyChunk> PiecesAsync(
        HttpResponseMessage response, BoundedStream body, [EnumeratorCancellation] CancellationToken cancellation)
    {
        string type = response.Content.Headers.ContentType?.MediaType ?? "";
        if (type == MediaTypeNames.Text.EventStream)
        {
            await foreach (var item in SseParser.Create(body).EnumerateAsync(cancellation).ConfigureAwait(false))
            {
                if (item.Data == EndMark) yield break;
                if (item.Data.Length > 0) yield return ReplyJson.Read(Encoding.UTF8.GetBytes(item.Data), key);
            }
        }
        else
        {
            byte[] whole = await AllAsync(body, cancellation).ConfigureAwait(false);
            bool isJson = type == MediaTypeNames.Application.Json || type.EndsWith("+json", StringComparison.Ordinal);
            // What is no object is no answer, whatever it is called: the page of a gateway that has lost its server.
            yield return isJson || BeginsWith(whole, '{') ? ReplyJson.Read(whole, key) : throw Page(response, type);
        }
    }

    private static bool BeginsWith(ReadOnlySpan<byte> body, char mark) => body.TrimStart(" \t\r\n"u8).StartsWith([(byte)mark]);

    // Gateways in front of busy servers answer so with status 200: the same as a 502.
    private static RemoteTeacherException Page(HttpResponseMessage response, string type) => new(
        RemoteFaultKind.ServerFault,
        $"{response.RequestMessage!.RequestUri!.Host} answered {(int)response.StatusCode} with '{Printable(type)}' where JSON was "
        + "expected. If it goes on, check the address: does it need /v1?");

    /// <summary>The provider's filter refused the question: that is an outcome of the problem, not a fault of the run.</summary>
    private async Task<ReplyChunk> RefusalAsync(HttpResponseMessage response, Stream content, CancellationToken cancellation)
    {
        var error = EndpointError.Parse(await StartAsync(content, cancellation).ConfigureAwait(false));
        var fault = HttpFault.Of(response, error, key, clock.GetUtcNow());
        return (int)response.StatusCode is 400 or 403 or 422 && error.IsFiltered
            ? new ReplyChunk("", "", ChatFinishReason.ContentFilter, null) { Refusal = fault.Message }
            : throw fault;
    }

    // A status has been sent: that the words after it cannot be read, or have no end, changes nothing about it.
    private static async Task<byte[]> StartAsync(Stream content, CancellationToken cancellation)
    {
        byte[] start = new byte[EndpointError.MaxBytes];
        try
        {
            return start[
                ..await content.ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false, cancellation).ConfigureAwait(false)];
        }
        catch (IOException)
        {
            return [];
        }
    }

    private static async Task<byte[]> AllAsync(Stream body, CancellationToken cancellation)
    {
        using var whole = new MemoryStream();
        await body.CopyToAsync(whole, cancellation).ConfigureAwait(false);
        return whole.ToArray();
    }

    private static string Printable(string type) => type.Length <= 60 && type.All(c => c is > ' ' and <= '~') ? type : "something else";
}
