using System.Text;
using Distill.Data.Problems;
using Distill.Data.Sources;
using Distill.Data.Sources.Files;
using Distill.Pipeline.Recipes.Sections;
using Distill.Storage;

namespace Distill.Pipeline.Problems;

/// <summary>An entry of a recipe's sources with the files that it names at this moment. Immutable.</summary>
/// <param name="Files">Empty for a generated family.</param>
/// <param name="Place">What reports call where it comes from: no path of the machine.</param>
/// <param name="Revision">The commit of a data set of the Hub; null for others.</param>
/// <param name="Licence">As the recipe says, else as the data set's card does; null: nobody says.</param>
internal sealed record ResolvedSource(
    SourceSection Section, IReadOnlyList<SourceFile> Files, string Place, string? Revision, string? Licence)
{
    public string Kind => Section switch
    {
        { Family: not null } => "family",
        { File: not null } => "file",
        { Folder: not null } => "folder",
        { Hub: not null } => "hub",
        _ => "traces",
    };

    /// <exception cref="InvalidDataException">It names no files, or a data set that is not there.</exception>
    /// <exception cref="IOException">The Hub does not give the data set.</exception>
    public static ResolvedSource Of(SourceSection section, CancellationToken cancellation)
    {
        if (section.Family is { } family) return new(section, [], $"{family} level {section.FamilyLevel() ?? 1}", null, section.Licence);
        if ((section.File ?? section.Traces) is { } pattern)
            return new(section, SourceFile.Find(pattern), Path.GetFileName(pattern), null, section.Licence);
        string split = section.Split ?? DataSetFolder.Train;
        if (section.Folder is { } folder)
        {
            return new(section, DataSetFolder.Files(folder, section.Config, split),
                Path.GetFileName(Path.TrimEndingDirectorySeparator(folder)),
                null, section.Licence ?? DataSetFolder.LicenceOf(folder));
        }

        var pulled = HubDataSet.Pull(section.Hub!, section.Config, split, cancellation);
        return new(section, DataSetFolder.Files(pulled.Folder, section.Config, split), pulled.Repository, pulled.Commit,
            section.Licence ?? DataSetFolder.LicenceOf(pulled.Folder));
    }

    /// <summary>Null for a generated family.</summary>
    public IProblemSource? ToSource(string? verifier, bool questionsOnly) => Section switch
    {
        { Family: not null } => null,
        { Traces: not null } => new TraceSource(Section.Name, Files, Section.Verifier),
        _ => new FileSource(Section.Name, Files, Section.ToReading(verifier) with { QuestionsOnly = questionsOnly }),
    };

    /// <summary>Of names and contents of the files; empty for a generated family, which has none.</summary>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public string DigestOf(DigestMemory memory) => Files.Count == 0 ? "" : FileDigest.Of(Encoding.UTF8.GetBytes(
        $"{Kind}\n" + string.Concat(Files.Select(file => $"{file.Name}\0{memory.Of(file.Path)}\n"))));

    public ProblemSetPart? ToPart() => Section.Family is { } family ? new ProblemSetPart(family, Section.FamilyLevel() ?? 1) : null;
}
