namespace Distill.Tokenization.Files;

/// <summary>Reads small files of a model folder whole.</summary>
internal static class BoundedFile
{
    /// <summary>Reads and interprets a file.</summary>
    /// <exception cref="InvalidDataException">Absent, too large, or <paramref name="read"/> refused it; names the file.</exception>
    public static T Read<T>(string folder, string name, Func<ReadOnlyMemory<byte>, T> read)
    {
        string path = Path.Combine(folder, name);
        var file = new FileInfo(path);
        if (!file.Exists) throw new InvalidDataException($"{path}: not found");
        if (file.Length > TokenizerLimits.FileBytes)
            throw new InvalidDataException($"{path}: {file.Length} bytes; at most {TokenizerLimits.FileBytes} are read");
        try
        {
            return read(File.ReadAllBytes(path));
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
    }
}
