using System.Net;
using System.Net.Http.Headers;
using Distill.Hub.Network;
using Distill.Storage;

namespace Distill.Hub.Download;

/// <summary>
/// The content of one file, received into the cache: from where an earlier try ended, digested while it comes, under its final name only
/// when the digest is the Hub's. The caller holds the blob's lock.
/// </summary>
internal sealed class BlobDownload(
    HubConnection connection, HubRetry retry, HubReference what, HubOptions options, TimeProvider clock, TransferMeter meter)
{
    private const int BufferSize = 1 << 20;

    // So much more than there ever was is progress: the next stretch begins at once, and tries are counted anew. A server that always
    // begins anew and breaks off makes none.
    private const long Progress = 1 << 20;

    /// <exception cref="HubException">It cannot be had; what was received stays for the next time.</exception>
    public async Task FetchAsync(HubFile file, Uri address, string blob, CancellationToken cancellation)
    {
        string first = await TryFetchAsync(file, address, blob, cancellation).ConfigureAwait(false);
        if (first == file.ETag) return;
        string second = await TryFetchAsync(file, address, blob, cancellation).ConfigureAwait(false);
        if (second == file.ETag) return;
        throw new HubException(HubFault.WrongDigest, $"{Printable.Quote(file.Path)} of {what.Repository} was received twice, and is not "
            + $"what the Hub says: its digest should be {file.ETag} and was {first}, then {second}. What came last lies in "
                + $"'{AsideOf(blob)}'. "
            + "A proxy or a mirror may change files on the way, or a disk may be failing.");
    }

    private static string AsideOf(string blob) => blob + ".wrong";

    /// <returns>The digest of what was received: under its final name if it is right, else set aside.</returns>
    private async Task<string> TryFetchAsync(HubFile file, Uri address, string blob, CancellationToken cancellation)
    {
        using var partial = PartialBlob.Open(blob, file);
        meter.Add(partial.Length, isReceived: false);
        while (partial.Length < file.Size)
        {
            await retry.RunAsync(async token =>
            {
                await ReceiveStretchAsync(file, address, partial, token).ConfigureAwait(false);
                return true;
            }, cancellation).ConfigureAwait(false);
        }

        string digest = await partial.FinishAsync().ConfigureAwait(false);
        partial.MoveTo(digest == file.ETag ? blob : AsideOf(blob));
        if (digest != file.ETag) meter.Add(-file.Size, isReceived: false);
        return digest;
    }

    private async Task ReceiveStretchAsync(HubFile file, Uri address, PartialBlob partial, CancellationToken cancellation)
    {
        using var answer = await connection.SendAsync(address, to => RequestFrom(partial.Length, to), cancellation).ConfigureAwait(false);
        if (answer.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            Restart(partial);
            throw new HubException(HubFault.ServerFault, $"{Printable.Quote(file.Path)} cannot be continued where it was left.");
        }

        HubFaults.ThrowIfRefused(answer, what with { Path = file.Path }, options, clock);
        bool isContinued = answer.StatusCode == HttpStatusCode.PartialContent
            && answer.Content.Headers.ContentRange is { From: { } from } && from == partial.Length;
        if (!isContinued && partial.Length > 0) Restart(partial); // it sends all of it
        long furthest = partial.Furthest;
        await using var body = await answer.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        var broken = await CopyAsync(body, partial, file.Size, cancellation).ConfigureAwait(false);
        if (partial.Length == file.Size || partial.Length - furthest >= Progress) return;
        throw broken ?? new HubException(HubFault.Unreachable,
            $"{options.Endpoint.Host} ended {Printable.Quote(file.Path)} after {partial.Length:N0} of {file.Size:N0} bytes.");
    }

    /// <summary>One buffer is digested and written while the next one is received.</summary>
    /// <returns>What ended it early, if anything; the cancellation is thrown.</returns>
    private async Task<HubException?> CopyAsync(Stream body, PartialBlob partial, long size, CancellationToken cancellation)
    {
        byte[] filling = GC.AllocateUninitializedArray<byte>(BufferSize), writing = GC.AllocateUninitializedArray<byte>(BufferSize);
        long left = size - partial.Length;
        var pending = Task.CompletedTask;
        try
        {
            while (left > 0)
            {
                var (length, broken) = await FillAsync(body, filling.AsMemory(0, (int)Math.Min(BufferSize, left)), cancellation)
                    .ConfigureAwait(false);
                await pending.ConfigureAwait(false);
                (filling, writing) = (writing, filling);
                var bytes = writing.AsMemory(0, length);
                pending = Task.Run(() => partial.Append(bytes.Span), CancellationToken.None);
                left -= length;
                meter.Add(length, isReceived: true);
                if (broken is not null || length == 0) return broken;
            }

            return null;
        }
        finally
        {
            await pending.ConfigureAwait(false);
        }
    }

    private async Task<(int Length, HubException? Broken)> FillAsync(Stream body, Memory<byte> buffer, CancellationToken cancellation)
    {
        int length = 0;
        while (length < buffer.Length)
        {
            try
            {
                int read = await connection.ReadAsync(body, buffer[length..], cancellation).ConfigureAwait(false);
                if (read == 0) return (length, null);
                length += read;
            }
            catch (HubException broken)
            {
                return (length, broken);
            }
        }

        return (length, null);
    }

    private void Restart(PartialBlob partial)
    {
        meter.Add(-partial.Length, isReceived: false);
        partial.Restart();
    }

    private static HttpRequestMessage RequestFrom(long position, Uri address)
    {
        var request = HubInterface.Request(HttpMethod.Get, address, null, null);
        if (position > 0) request.Headers.Range = new RangeHeaderValue(position, null);
        return request;
    }
}
