using Distill.Data.Publishing.Formats;
using Distill.Data.Traces;
using Distill.Storage;

namespace Distill.Data.Publishing;

/// <summary>Trace files that belong together, all graded or none. Immutable; holds nothing open.</summary>
/// <param name="Name">What people call it: a run's artefact, a folder, a file.</param>
/// <param name="Files">Full paths, in order.</param>
/// <param name="Artifact">The artefact that they are of; null for files of their own.</param>
internal sealed record TraceSet(string Name, IReadOnlyList<string> Files, bool IsGraded, Artifact? Artifact = null)
{
    /// <summary>The files of an artefact, each compared with what was committed.</summary>
    /// <exception cref="InvalidDataException">It holds no traces, or damaged ones.</exception>
    public static TraceSet Of(string name, Artifact artifact)
    {
        var files = artifact.Manifest.Files.Where(file => ForeignFile.IsParquet(file.Path)).Select(file => file.Path)
            .Order(StringComparer.Ordinal).Select(artifact.PathOf);
        return Of(name, [.. files], artifact);
    }

    /// <summary>A Parquet file, a folder of such files, or the folder of an artefact.</summary>
    /// <exception cref="InvalidDataException">It holds no traces.</exception>
    public static TraceSet Of(string path)
    {
        if (Directory.Exists(path) && Artifact.TryOpen(path) is { } artifact) return Of(path, artifact);
        return Of(path, [.. ForeignFile.FilesOf(path).Where(ForeignFile.IsParquet).Select(Path.GetFullPath)], null);
    }

    /// <summary>One after the other, a row group in memory at a time.</summary>
    /// <param name="keptOnly">Of graded traces, only those that may be trained on.</param>
    /// <exception cref="InvalidDataException">While enumerating: a file is damaged.</exception>
    public IEnumerable<PublishedTrace> Read(bool keptOnly) => Files.SelectMany(file => Read(file, keptOnly));

    public IEnumerable<PublishedTrace> Read(string file, bool keptOnly) => IsGraded
        ? TraceFile.ReadGraded(file).Where(graded => graded.Keep || !keptOnly).Select(graded => new PublishedTrace(graded.Trace, graded))
        : TraceFile.Read(file).Select(trace => new PublishedTrace(trace));

    private static TraceSet Of(string name, IReadOnlyList<string> files, Artifact? artifact)
    {
        var columns = files.Select(TraceColumnSet.Of).ToList();
        string? stranger = files.Where((_, i) => !columns[i].IsTraces).FirstOrDefault();
        if (files.Count == 0 || stranger is not null)
        {
            throw new InvalidDataException(Printable.Of(files.Count == 0 ? $"'{name}' holds no Parquet files with traces."
                : $"'{stranger}' does not have the columns of our traces; 'distill traces import' makes traces of it."));
        }

        bool graded = columns[0].IsGraded;
        return columns.All(set => set.IsGraded == graded) ? new TraceSet(name, files, graded, artifact)
            : throw new InvalidDataException(Printable.Of($"'{name}' holds graded and ungraded traces; name one of its folders or files."));
    }
}
