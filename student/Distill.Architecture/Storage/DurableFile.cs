namespace Distill.Architecture;

/// <summary>Small files that are on disk when the call returns.</summary>
public static class DurableFile
{
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        using var stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None);
        stream.Write(content);
        stream.Flush(flushToDisk: true);
    }
}
