using System.Net;
using System.Net.Http.Headers;

namespace Distill.Teacher.Remote.Batches;

/// <summary>Lines of a stream as they come, white ones left out. One reader at a time.</summary>
internal sealed class ResultLines(Stream stream, long longest)
{
    private byte[] buffer = new byte[64 << 10];
    private int start, end;
    private bool isOver;

    /// <returns>Null after the last line.</returns>
    /// <exception cref="RemoteTeacherException">A line is too long.</exception>
    public async Task<byte[]?> NextAsync(CancellationToken cancellation)
    {
        int searched = 0;
        while (true)
        {
            int feed = buffer.AsSpan(start + searched, end - start - searched).IndexOf((byte)'\n');
            if (feed >= 0 || isOver && end > start)
            {
                int length = feed >= 0 ? searched + feed : end - start;
                var line = buffer.AsSpan(start, length).Trim(" \t\r"u8).ToArray();
                start = Math.Min(end, start + length + 1);
                searched = 0;
                if (line.Length > 0) return line;
                continue;
            }

            if (isOver) return null;
            searched = end - start;
            if (searched > longest)
                throw new RemoteTeacherException(
                    RemoteFaultKind.TooLarge, $"A line of the batch's results is longer than {longest:N0} bytes.");
            await FillAsync(cancellation).ConfigureAwait(false);
        }
    }

    private async Task FillAsync(CancellationToken cancellation)
    {
        if (start > 0)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (start, end) = (0, end - start);
        }
        else if (end == buffer.Length)
        {
            Array.Resize(ref buffer, checked(buffer.Length * 2));
        }

        int read = await stream.ReadAsync(buffer.AsMemory(end), cancellation).ConfigureAwait(false);
        isOver = read == 0;
        end += read;
    }
}

/// <summary>Requests as they are sent, one after the other, without holding them all: each is made twice, to count and to send.</summary>
internal sealed class LinesContent : HttpContent
{
    private readonly IReadOnlyList<BatchRequest> requests;
    private readonly Func<BatchRequest, byte[]> line;
    private readonly byte[] before, between, after;
    private readonly long length;

    public LinesContent(
        IReadOnlyList<BatchRequest> requests, Func<BatchRequest, byte[]> line, string type, byte[] before, byte[] between, byte[] after)
    {
        (this.requests, this.line, this.before, this.between, this.after) = (requests, line, before, between, after);
        length = before.Length + after.Length + requests.Sum(request => (long)line(request).Length)
            + (long)between.Length * Math.Max(0, requests.Count - 1);
        Headers.ContentType = new MediaTypeHeaderValue(type);
    }

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        await stream.WriteAsync(before).ConfigureAwait(false);
        foreach (var (index, request) in requests.Index())
        {
            if (index > 0) await stream.WriteAsync(between).ConfigureAwait(false);
            await stream.WriteAsync(line(request)).ConfigureAwait(false);
        }

        await stream.WriteAsync(after).ConfigureAwait(false);
    }

    protected override bool TryComputeLength(out long bytes)
    {
        bytes = length;
        return true;
    }
}
