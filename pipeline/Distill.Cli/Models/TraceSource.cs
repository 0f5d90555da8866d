using System.CommandLine;
using Distill.Cli.Output;
using Distill.Data.Publishing;
using Distill.Data.Publishing.Licences;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Stages.Data;
using Distill.Pipeline.Store;
using Distill.Storage;

namespace Distill.Cli.Models;

/// <summary>
/// Traces as a command names them: a run (its graded traces, else its raw ones), an artefact, a folder or a file, with what is known of
/// where they come from.
/// </summary>
/// <param name="Problems">Files of the run's problems; empty for others.</param>
/// <param name="Run">The run; null for others.</param>
/// <param name="Artifact">The artefact in its store; null for folders and files of their own.</param>
internal sealed record TraceSource(TraceSet Traces, IReadOnlyList<string> Problems, RunFolder? Run, CataloguedArtifact? Artifact)
{
    private const string What = "Give a run, an artefact, a folder or a file of traces.", ProblemFiles = "problems.jsonl";

    private ArtifactCatalogue? Catalogue { get; init; }

    private const string Meaning = "Traces: a run (its graded traces, else the raw ones), an artefact (quickstart/traces, 3fa9c1, "
        + "runs/quickstart/2-traces), a folder of Parquet files, or one such file.";

    public static Argument<string> Argument() => new("SOURCE") { Description = Meaning };

    public static Argument<string?> OptionalArgument() =>
        new("SOURCE") { Description = Meaning + " Default: the run that was worked on last.", Arity = ArgumentArity.ZeroOrOne };

    /// <param name="word">Null for the run that was worked on last.</param>
    /// <exception cref="UsageException">The word names nothing.</exception>
    /// <exception cref="InvalidDataException">It names something that holds no traces, or damaged ones.</exception>
    public static TraceSource Find(string? word, string runs, CommandContext context)
    {
        word ??= Newest(runs) ?? throw new UsageException($"There is no run in {ShellWord.Quoted(runs)}.", What);
        if (RunOf(word, runs) is { } run) return OfRun(run, context);
        if (File.Exists(word) || (Directory.Exists(word) && !ArtifactReference.LeadsIntoStore(word)))
            return new TraceSource(TraceSet.Of(word), [], null, null);
        if (word.EndsWith(".parquet", StringComparison.Ordinal))
            throw new UsageException($"There is no file {ShellWord.Quoted(word)}.", What);
        return OfArtifact(word, runs, context);
    }

    /// <summary>What the traces were made from, down to the models that the recipe brought along.</summary>
    public IReadOnlyList<LineageStep> Lineage()
    {
        if (Artifact is null || Catalogue is null)
            return Traces.Artifact is { } own ? [new LineageStep(own.Manifest.Kind, own.Digest)] : [];
        var lineage = Pipeline.Store.Lineage.Of(
            Catalogue, new LineageRoots([Pipeline.Store.Lineage.NodeOf(Artifact)], []),
            new ExternalModels(Catalogue.RunsFolder, Catalogue.Store.Digests));
        return [.. lineage.Roots.Concat(lineage.Nodes.Values).Where(node => FileDigest.IsValid(node.Digest))
            .Select(node => new LineageStep(node.Name, node.Digest)).DistinctBy(step => step.Digest)];
    }

    /// <summary>The recipe of the run; null where there is none, or none of a distillation.</summary>
    public DistillationRecipe? Recipe() => Run is not null && File.Exists(Run.RecipePath) ? RecipeFile.Finished(Run.RecipePath) : null;

    /// <summary>What the run's problems came from, as their artefacts say.</summary>
    public IReadOnlyList<LicensedPart> Sources() =>
        [.. Problems.Select(file => Path.Combine(Path.GetDirectoryName(file)!, SourceLicences.FileName)).Where(File.Exists)
            .SelectMany(SourceLicences.Read).DistinctBy(part => part.Name)];

    private static RunFolder? RunOf(string word, string runs)
    {
        if (word.Length == 0 || word.Contains('\0')) throw new UsageException("SOURCE is empty.", What);
        var (folder, name) = word.Contains('/') || word.Contains(Path.DirectorySeparatorChar)
            ? (Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(word))) ?? word,
                Path.GetFileName(Path.TrimEndingDirectorySeparator(word)))
            : (runs, word);
        return RunState.TryRead(Path.Combine(folder, name)) is null ? null : new RunFolder(folder, name);
    }

    private static string? Newest(string runs) => !Directory.Exists(runs) ? null : Directory.EnumerateDirectories(runs)
        .Select(folder => (Name: Path.GetFileName(folder), State: RunState.TryRead(folder)))
        .Where(run => run.State is not null).OrderByDescending(run => run.State!.Changed).Select(run => run.Name).FirstOrDefault();

    private static TraceSource OfRun(RunFolder run, CommandContext context)
    {
        var catalogue = ArtifactCatalogue.Read(run.RunsPath, context.Clock);
        string[] links = [CurationStage.FolderName, TracesStage.FolderName];
        var item = links.Select(link => catalogue.At(run.Name, link)).FirstOrDefault(item => item is { IsFinished: true })
            ?? throw new UsageException(
                $"The run '{run.Name}' has no finished traces yet.", $"'distill resume {run.Name}' goes on with it.");
        return Of(item, catalogue) with { Run = run, Problems = ProblemsOf(run) };
    }

    private static TraceSource OfArtifact(string word, string runs, CommandContext context)
    {
        var catalogue = ArtifactCatalogue.Read(ArtifactReference.RunsFolderOf(word, runs), context.Clock);
        var item = ArtifactReference.Find(catalogue, word);
        if (!item.IsFinished)
            throw new UsageException($"{item.Name} {item.Reference} is not finished.", "'distill resume RUN' goes on with it.");
        var run = item.Uses.Select(use => new RunFolder(catalogue.RunsFolder, use.Run)).FirstOrDefault(run => File.Exists(run.RecipePath));
        return Of(item, catalogue) with { Run = run, Problems = run is null ? [] : ProblemsOf(run) };
    }

    private static TraceSource Of(CataloguedArtifact item, ArtifactCatalogue catalogue) =>
        new(TraceSet.Of(item.Name, Storage.Artifact.Open(item.Entry.Folder)), [], null, item) { Catalogue = catalogue };

    private static List<string> ProblemsOf(RunFolder run) =>
    [
        .. run.Links().Keys.Where(link => link.StartsWith("1-problems/", StringComparison.Ordinal))
            .Select(link => Path.GetFullPath(Path.Combine(run.Path, link, ProblemFiles))).Where(File.Exists),
    ];
}
