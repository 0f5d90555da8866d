using Distill.Data.Sources.Files;

namespace Distill.Data.Publishing;

/// <summary>Files of traces that a path means.</summary>
internal static class ForeignFile
{
    /// <summary>The files that a path means: itself, or those of a folder and below, by name.</summary>
    /// <exception cref="InvalidDataException">There is nothing that can be read.</exception>
    public static IReadOnlyList<string> FilesOf(string path)
    {
        if (File.Exists(path))
        {
            return SourceRows.IsTable(path) ? [path]
                : throw new InvalidDataException(Printable.Of($"'{path}' is of no kind that is read: {SourceRows.Forms}."));
        }

        if (!Directory.Exists(path)) throw new InvalidDataException(Printable.Of($"There is no file or folder '{path}'."));
        string[] files = [.. Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories)
            .Where(file => SourceRows.IsTable(file) && !IsAside(path, file)).Order(StringComparer.Ordinal)];
        return files.Length > 0 ? files
            : throw new InvalidDataException(Printable.Of($"The folder '{path}' holds no file that is read: {SourceRows.Forms}."));
    }

    public static bool IsParquet(string path) => path.EndsWith(".parquet", StringComparison.Ordinal);

    // Hidden ones, and what lies beside data: manifests, metadata, counts.
    private static bool IsAside(string folder, string file) =>
        Path.GetRelativePath(folder, file).Split('/', '\\').Any(part => part[0] == '.')
        || Path.GetExtension(file).Equals(".json", StringComparison.OrdinalIgnoreCase);
}
