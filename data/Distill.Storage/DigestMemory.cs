using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace Distill.Storage;

/// <summary>
/// Digests of files, remembered by what the system says of a file: device, inode, size, times of its last change. Whoever
/// writes to a file changes that, so gigabytes are read once and a changed byte is still found; only <c>artefacts verify</c>
/// reads everything again. A line per file in one text file that any number of processes append to; losing it costs reading
/// again. Thread-safe.
/// </summary>
/// <param name="path">Of the text file; null remembers for this process only.</param>
internal sealed class DigestMemory(string? path, TimeProvider clock)
{
    // A file that changed just now may change again within the same tick of the file system's clock.
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(2);

    private const int LongestMemory = 64 << 20;

    private readonly Lazy<ConcurrentDictionary<string, string>> digests = new(() => Read(path));
    private readonly Lock gate = new();

    /// <summary>SHA-256 of a file's content.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public string Of(string file)
    {
        var before = FileIdentity.Of(file);
        if (digests.Value.TryGetValue(before.Key, out string? known)) return known;
        string digest = FileDigest.OfFile(file);
        var after = FileIdentity.Of(file);
        if (after != before || clock.GetUtcNow() - after.Changed < Settled) return digest;
        digests.Value[after.Key] = digest;
        Append(Line(after.Key, digest) + "\n");
        return digest;
    }

    /// <summary>
    /// The same, read whatever is remembered. Where a disk lost a bit, which no time of change tells, what was remembered is
    /// corrected, so that the next <see cref="Of"/> tells the truth too.
    /// </summary>
    /// <inheritdoc cref="Of" path="/exception"/>
    public string Reread(string file)
    {
        var before = FileIdentity.Of(file);
        string digest = FileDigest.OfFile(file);
        if (!digests.Value.TryGetValue(before.Key, out string? known) || known == digest || FileIdentity.Of(file) != before) return digest;
        digests.Value[before.Key] = digest;
        Append(Line(before.Key, digest) + "\n"); // later lines win
        return digest;
    }

    private static ConcurrentDictionary<string, string> Read(string? path)
    {
        var read = new ConcurrentDictionary<string, string>(StringComparer.Ordinal);
        if (path is null || !File.Exists(path) || new FileInfo(path).Length > LongestMemory) return read;
        foreach (string line in File.ReadLines(path))
        {
            string[] parts = line.Split(' ');
            if (parts is [var key, var digest, _] && FileDigest.IsValid(digest) && Line(key, digest) == line) read[key] = digest;
        }

        return read;
    }

    // With a checksum of its own: a flipped bit here must not make a whole file look changed.
    internal static string Line(string key, string digest) => $"{key} {digest} {FileDigest.Of(Encoding.ASCII.GetBytes(key + digest))[..8]}";

    private void Append(string line)
    {
        if (path is null) return;
        lock (gate)
        {
            try
            {
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                using var stream = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
                stream.Write(Encoding.ASCII.GetBytes(line)); // one write: lines of several processes do not mix
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                // A folder that may be read only: what is not remembered is read again.
            }
        }
    }
}

/// <summary>A file in one state, as the system records it: another state of the same file has another identity.</summary>
/// <param name="Key">Equal for the same file in the same state; without spaces.</param>
/// <param name="Changed">When it was last changed, or renamed or linked.</param>
internal sealed record FileIdentity(string Key, DateTimeOffset Changed)
{
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static FileIdentity Of(string path)
    {
        if (NativeFile.Status(path) is { } status)
        {
            string key = string.Create(
                CultureInfo.InvariantCulture,
                $"{status.Device}:{status.Inode}:{status.Size}:{status.Modified}:{status.Changed}");
            return new FileIdentity(key, DateTimeOffset.UnixEpoch.AddTicks(status.Changed / 100));
        }

        // No inode to be had: the path stands for it.
        var info = new FileInfo(path);
        if (!info.Exists) throw new FileNotFoundException($"'{path}' is missing.", path);
        string name = FileDigest.Of(Encoding.UTF8.GetBytes(info.FullName))[..16];
        return new FileIdentity($"{name}:{info.Length}:{info.LastWriteTimeUtc.Ticks}:{info.CreationTimeUtc.Ticks}", info.LastWriteTimeUtc);
    }
}
