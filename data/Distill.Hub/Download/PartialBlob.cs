using Distill.Hub.Network;
using Microsoft.Win32.SafeHandles;

namespace Distill.Hub.Download;

/// <summary>
/// A blob that is being received, in <c>ETAG.incomplete</c> beside its final name: what earlier processes received is kept, and read once,
/// for its digest. Held by one process (by the blob's lock) and one thread at a time. Disposing keeps the file.
/// </summary>
internal sealed class PartialBlob : IDisposable
{
    // What has been written is sent to the disk on the way, so that the end of a large file does not wait for all of it.
    private const long FlushEvery = 64 << 20;

    private readonly SafeFileHandle file;
    private readonly BlobDigest digest;
    private readonly string path;
    private Task flushing = Task.CompletedTask;
    private long flushed;

    private PartialBlob(string path, HubFile of)
    {
        this.path = path;
        file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        digest = BlobDigest.Of(of);
    }

    /// <summary>Bytes received.</summary>
    public long Length { get; private set; }

    /// <summary>The most bytes it ever had, also before it was begun anew.</summary>
    public long Furthest { get; private set; }

    /// <exception cref="IOException">The file cannot be opened or read.</exception>
    public static PartialBlob Open(string blob, HubFile of)
    {
        var partial = new PartialBlob(blob + ".incomplete", of);
        try
        {
            partial.TakeOver(of.Size);
            return partial;
        }
        catch
        {
            partial.Dispose();
            throw;
        }
    }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        digest.Append(bytes);
        RandomAccess.Write(file, bytes, Length);
        Length += bytes.Length;
        Furthest = Math.Max(Furthest, Length);
        if (Length - flushed < FlushEvery || !flushing.IsCompleted) return;
        flushed = Length;
        flushing = Task.Run(() => RandomAccess.FlushToDisk(file));
    }

    /// <summary>Begins at the beginning.</summary>
    public void Restart()
    {
        RandomAccess.SetLength(file, 0);
        digest.Restart();
        (Length, flushed) = (0, 0);
    }

    /// <summary>Digest of what was received; it is on disk then.</summary>
    public async Task<string> FinishAsync()
    {
        await flushing.ConfigureAwait(false);
        RandomAccess.FlushToDisk(file);
        return digest.Finish();
    }

    /// <summary>Gives it its final name.</summary>
    public void MoveTo(string target) => File.Move(path, target, overwrite: true);

    public void Dispose()
    {
        // A flush that failed has failed the download already, or fails the next one's digest.
        ((IAsyncResult)flushing).AsyncWaitHandle.WaitOne();
        file.Dispose();
        digest.Dispose();
    }

    private void TakeOver(long size)
    {
        long length = RandomAccess.GetLength(file);
        if (length > size)
        {
            RandomAccess.SetLength(file, 0);
            return;
        }

        byte[] buffer = new byte[1 << 20];
        while (Length < length)
        {
            int read = RandomAccess.Read(file, buffer, Length);
            if (read == 0) break;
            digest.Append(buffer.AsSpan(0, read));
            Length += read;
        }

        flushed = Furthest = Length;
    }
}
