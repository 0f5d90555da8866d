using Distill.Data.Sources;
using Distill.Data.Sources.Files;
using Distill.Storage;

namespace Distill.Data.Publishing;

/// <summary>Files of traces that a path means.</summary>
internal static class ForeignFile
{
    // Of our own artefacts and runs, of model folders, and of other data sets' tools. A manifest's name has a number: see IsAside.
    private static readonly HashSet<string> Beside = new(StringComparer.OrdinalIgnoreCase)
    {
        "manifest.json", "sources.json", "metadata.json", "counts.json", "sampling.json", "preflight.json", "evaluation.json",
        "report.json", "parity.json", "parity-failed.json", "run.json", "run.lock.json", "ledger.json", "metrics.jsonl", "distill.json",
        "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
    };

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

    // Hidden ones, and what is known to lie beside data.
    private static bool IsAside(string folder, string file)
    {
        string name = Path.GetFileName(file);
        return Path.GetRelativePath(folder, file).Split('/', '\\').Any(part => part[0] == '.')
            || Beside.Contains(name) || DataSetFolder.Describes(name) || ManifestFile.IsManifest(name);
    }
}
