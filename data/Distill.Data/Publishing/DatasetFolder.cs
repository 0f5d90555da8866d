using Distill.Data.Problems;
using Distill.Data.Publishing.Licences;
using Distill.Data.Traces;
using Distill.Storage;

namespace Distill.Data.Publishing;

/// <summary>How a folder of traces is laid out. Immutable.</summary>
internal sealed record DatasetFolderOptions
{
    /// <summary>Whether other content in the folder's place is replaced; else it is refused.</summary>
    public bool Replace { get; init; }

    /// <summary>Whether the token-aligned columns go out too; they are most of a file.</summary>
    public bool KeepTokens { get; init; } = true;

    /// <summary>Rows of a file that is written anew.</summary>
    public int RowsPerFile { get; init; } = 25_000;
}

/// <summary>
/// A folder as Hugging Face <c>datasets</c> and the Hub read it: <c>data/train-00000-of-00003.parquet</c>, the card, Croissant metadata.
/// It appears whole or not at all. Files whose rows are all published and of one split are linked, not copied; others are written anew, a
/// row group in memory at a time.
/// </summary>
internal static class DatasetFolder
{
    public const string CardName = "README.md";

    /// <param name="target">Absent or empty, or replaced where the options say so.</param>
    /// <param name="publication">What card and metadata say; its statistics are those of the set.</param>
    /// <returns>The data files, relative to the folder.</returns>
    /// <exception cref="CommitConflictException">The folder is there and holds something.</exception>
    public static IReadOnlyList<ArtifactFile> Write(
        string target, TraceSet set, Publication publication, DatasetFolderOptions? options = null)
    {
        options ??= new DatasetFolderOptions();
        if (File.Exists(target) || (Directory.Exists(target) && Directory.EnumerateFileSystemEntries(target).Any() && !options.Replace))
            throw new CommitConflictException($"'{target}' exists already. Give another place, or replace it with --replace.");
        IReadOnlyList<ArtifactFile> written = [];
        ReplacedFolder.Write(target, folder => written = Fill(folder, set, publication, options));
        return written;
    }

    private static List<ArtifactFile> Fill(string folder, TraceSet set, Publication publication, DatasetFolderOptions options)
    {
        var files = new Dictionary<Split, IReadOnlyList<ArtifactFile>>();
        foreach (var split in publication.Statistics.Parts.Where(part => part.Published > 0).GroupBy(part => part.Split))
        {
            IReadOnlyList<FilePart> parts = [.. split];
            bool isWhole = options.KeepTokens && parts.All(part => IsWhole(part, publication.Statistics));
            files[SplitRule.Parse(split.Key)] = isWhole
                ? Link(folder, split.Key, parts) : Rewrite(folder, split.Key, parts, set, publication.KeptOnly, options);
        }

        List<ArtifactFile> all = [.. files.OrderBy(pair => pair.Key).SelectMany(pair => pair.Value)];
        CommittedFile.WriteBytes(Path.Combine(folder, CardName), CardOf(publication, files).ToBytes());
        CommittedFile.WriteBytes(Path.Combine(folder, Croissant.Name), Croissant.ToBytes(publication, all));
        return all;
    }

    private static DatasetCard CardOf(Publication publication, IReadOnlyDictionary<Split, IReadOnlyList<ArtifactFile>> files) => new()
    {
        Title = publication.Title,
        Description = publication.ToMarkdown(),
        License = LicenceTable.HubWord(publication.Licence),
        LicenseName = LicenceTable.HubWord(publication.Licence) == "other" ? publication.Licence : null,
        SizeCategory = SizeOf(publication.Statistics.Rows),
        Graded = publication.IsGraded,
        Files = files,
    };

    /// <summary>Whether all of the file goes out, under one split.</summary>
    private static bool IsWhole(FilePart part, TraceStatistics statistics) =>
        part.Published == part.Rows && statistics.Parts.Count(other => other.File == part.File) == 1;

    private static List<ArtifactFile> Link(string folder, string split, IReadOnlyList<FilePart> parts) =>
        [.. parts.Select((part, i) => Link(folder, NameOf(split, i, parts.Count), part))];

    private static ArtifactFile Link(string folder, string name, FilePart part)
    {
        string path = Path.Combine(folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        if (!TryLink(part.File, path)) File.Copy(part.File, path);
        return new ArtifactFile(name, new FileInfo(path).Length, FileDigest.OfFile(path), part.Rows);
    }

    // Another file system, or one without links: a copy does as well.
    private static bool TryLink(string source, string path)
    {
        try
        {
            return !OperatingSystem.IsWindows() && NativeFile.LinkExclusively(source, path);
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static List<ArtifactFile> Rewrite(
        string folder, string split, IReadOnlyList<FilePart> parts, TraceSet set, bool keptOnly, DatasetFolderOptions options)
    {
        var layout = new TraceFileOptions { KeepTokens = options.KeepTokens };
        long rows = parts.Sum(part => part.Published);
        int count = (int)((rows + options.RowsPerFile - 1) / options.RowsPerFile);
        var files = new List<ArtifactFile>();
        using var traces = parts.SelectMany(part => set.Read(part.File, keptOnly))
            .Where(trace => SplitRule.Word(trace.Trace.Problem.Split) == split).GetEnumerator();
        for (int i = 0; i < count; i++)
        {
            string name = NameOf(split, i, count), path = Path.Combine(folder, name);
            var part = Next(traces, options.RowsPerFile);
            var file = set.IsGraded ? TraceFile.Write(path, part.Select(trace => trace.Grade!), layout)
                : TraceFile.Write(path, part.Select(trace => trace.Trace), layout);
            files.Add(file with { Path = name });
        }

        return files.Sum(file => file.Rows ?? 0) == rows ? files
            : throw new IOException($"'{set.Name}' changed while it was read: {rows} rows were counted.");
    }

    private static IEnumerable<T> Next<T>(IEnumerator<T> items, int count)
    {
        for (int i = 0; i < count && items.MoveNext(); i++) yield return items.Current;
    }

    private static string NameOf(string split, int index, int count) => $"data/{split}-{index:D5}-of-{count:D5}.parquet";

    /// <summary>The Hub's words for sizes.</summary>
    private static string SizeOf(long rows) => rows switch
    {
        < 1_000 => "n<1K",
        < 10_000 => "1K<n<10K",
        < 100_000 => "10K<n<100K",
        < 1_000_000 => "100K<n<1M",
        < 10_000_000 => "1M<n<10M",
        _ => "10M<n<100M",
    };
}
