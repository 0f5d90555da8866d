using System.Text;
using Distill.Data.Storage;
using Distill.Data.Traces;
using Distill.Pipeline.Graph;

namespace Distill.Pipeline.Stages.Data;

/// <summary>The files behind <c>traces.from</c>: of a run, of an artefact, of a folder, or one alone.</summary>
internal static class GivenTraces
{
    private const string Pattern = "*.parquet";

    /// <summary>In an order that follows from their names.</summary>
    /// <exception cref="InvalidDataException">There is no file of traces; says where was looked.</exception>
    public static IReadOnlyList<string> FilesOf(string place)
    {
        if (File.Exists(place)) return [place];
        string folder = FolderOf(place);
        string[] files = ManifestFile.Newest(folder) is null
            ? [.. Directory.EnumerateFiles(folder, Pattern, SearchOption.AllDirectories).Order(StringComparer.Ordinal)]
            : [.. NamedFiles(folder)];
        return files.Length > 0 ? files : throw new InvalidDataException($"'{folder}' holds no file of traces ({Pattern}).");
    }

    /// <summary>A path or pattern that names the same files, as sources of problems are written.</summary>
    public static string PatternOf(string place) => File.Exists(place) ? place : Path.Combine(FolderOf(place), "**", Pattern);

    public static StageInput Open(string place, DigestMemory memory)
    {
        var lines = FilesOf(place).Select(file => $"{Path.GetFileName(file)}\0{memory.Of(file)}\n");
        return new StageInput(place, FileDigest.Of(Encoding.UTF8.GetBytes(string.Concat(lines))), null);
    }

    /// <summary>One file in memory at a time, and of it one row group.</summary>
    /// <exception cref="InvalidDataException">A file holds no traces; names file and reason.</exception>
    public static IEnumerable<Trace> Read(string place) => FilesOf(place).SelectMany(TraceFile.Read);

    // A run's raw traces where it has them: what was graded once is graded again anyway.
    private static string FolderOf(string place)
    {
        foreach (string part in (string[])[TracesStage.FolderName, CurationStage.FolderName])
        {
            string inner = Path.Combine(place, part);
            if (Directory.Exists(inner)) return inner;
        }

        return place;
    }

    private static IEnumerable<string> NamedFiles(string folder)
    {
        var artifact = Artifact.Open(folder);
        return artifact.Manifest.Files.Where(file => file.Path.EndsWith(Pattern[1..], StringComparison.Ordinal))
            .Select(file => artifact.PathOf(file.Path)).Order(StringComparer.Ordinal);
    }
}
