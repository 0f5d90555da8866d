using System.Text;
using Distill.Data.Publishing;
using Distill.Data.Traces;
using Distill.Pipeline.Graph;
using Distill.Storage;

namespace Distill.Pipeline.Stages.Data;

/// <summary>The files behind <c>traces.from</c>: of a run, of an artefact, of a folder, or one alone.</summary>
internal static class GivenTraces
{
    private const string Ending = ".parquet";

    /// <summary>In an order that follows from their names.</summary>
    /// <exception cref="InvalidDataException">There is no file of traces; says where was looked.</exception>
    public static IReadOnlyList<string> FilesOf(string place)
    {
        if (File.Exists(place)) return [place];
        string folder = FolderOf(place);
        return ManifestFile.Newest(folder) is null ? ForeignFile.FilesOf(folder) : NamedFiles(folder);
    }

    /// <summary>A path or pattern that names the same files, as sources of problems are written.</summary>
    public static string PatternOf(string place)
    {
        if (File.Exists(place) || !Directory.Exists(place)) return place;
        string name = Ending;
        try
        {
            name = Path.GetFileName(FilesOf(place)[0]);
        }
        catch (InvalidDataException)
        {
            // Said where the recipe is held against what it names.
        }

        return Path.Combine(FolderOf(place), "**", "*" + name[name.IndexOf('.', StringComparison.Ordinal)..]);
    }

    public static StageInput Open(string place, DigestMemory memory)
    {
        var lines = FilesOf(place).Select(file => $"{Path.GetFileName(file)}\0{memory.Of(file)}\n");
        return new StageInput(place, FileDigest.Of(Encoding.UTF8.GetBytes(string.Concat(lines))), null);
    }

    /// <summary>Ours and those of other formats, a row or a row group in memory at a time.</summary>
    /// <param name="skipped">Told of every row that is no trace, which is then left out; null: the first one is a fault.</param>
    /// <exception cref="InvalidDataException">A file holds no traces, or a row is none; names file and reason.</exception>
    public static IEnumerable<Trace> Read(string place, Action<BadRow>? skipped = null) =>
        FilesOf(place).SelectMany(file => TraceImport.Read(file, null, skipped));

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

    private static string[] NamedFiles(string folder)
    {
        var artifact = Artifact.Open(folder);
        string[] files = [.. artifact.Manifest.Files.Where(file => file.Path.EndsWith(Ending, StringComparison.Ordinal))
            .Select(file => artifact.PathOf(file.Path)).Order(StringComparer.Ordinal)];
        return files.Length > 0 ? files : throw new InvalidDataException($"The artefact '{folder}' holds no traces.");
    }
}
