using System.Collections.Concurrent;

namespace Distill.Service.Running;

/// <summary>What small files say, read again only when they have changed. Thread-safe.</summary>
/// <param name="most">Files that are remembered; beyond, some are forgotten.</param>
/// <param name="read">Reads a file; null where it says nothing.</param>
internal sealed class FileMemory<T>(int most, Func<string, T?> read)
    where T : class
{
    private readonly ConcurrentDictionary<string, (DateTime Written, long Length, T? Value)> known = new(StringComparer.Ordinal);

    /// <summary>Null where there is no such file, or nothing in it.</summary>
    public T? Of(string path)
    {
        var file = new FileInfo(path);
        if (!file.Exists) return null;
        if (known.TryGetValue(path, out var seen) && seen.Written == file.LastWriteTimeUtc && seen.Length == file.Length) return seen.Value;
        var value = read(path);
        if (known.Count >= most) known.Clear(); // seldom, and what is still wanted comes back at once
        known[path] = (file.LastWriteTimeUtc, file.Length, value);
        return value;
    }
}
