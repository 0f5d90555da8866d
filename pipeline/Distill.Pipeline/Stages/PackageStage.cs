using Distill.Architecture;
using Distill.Data.Publishing.Licences;
using Distill.Evaluation;
using Distill.Export;
using Distill.Export.Package;
using Distill.Hub;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Planning;
using Distill.Pipeline.Problems;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Stages.Data;
using Distill.Pipeline.Stages.Data.Teachers;
using Distill.Storage;

namespace Distill.Pipeline.Stages;

/// <summary>
/// The folder that apps load: the exported model with its results in card and provenance. Its weights are those of the export, on disk
/// once.
/// </summary>
/// <param name="student">Stage or model whose student was exported.</param>
internal sealed class PackageStage(DistillationRecipe recipe, string student) : IStage
{
    // Written here; every other file is the export's.
    private static readonly string[] Described = [ModelCard.Name, PackageProvenance.FileName];

    public StageDeclaration Declaration { get; } = new()
    {
        Name = RunFolder.ModelLink,
        Folder = RunFolder.ModelLink,
        Kind = "model",
        Version = 3, // results for the Hub only under names that the recipe gives
        Inputs =
        [
            // Whose problems they are is told on the card.
            .. recipe.Problems.HasSources ? [ProblemsStage.Train] : Array.Empty<string>(),
            .. new[]
            {
                student, TracesStage.StageName, ExportStage.StageName, ParityStage.StageName,
                EvaluationStage.NameOf(StageGraph.Exported), ExternalInputs.Base,
            }.Concat(Teachers(recipe)).Concat(ReturnedOf(recipe)).Distinct(),
        ],
        Options = new() { ["recipe"] = DigestOf(recipe), ["export"] = recipe.Export.ToKey(recipe) },
    };

    public string Work => "card and provenance";

    /// <summary>The weights are links to those of the export: what is written is card and provenance.</summary>
    public StageLoad Load(Foresight earlier) => new(WorkKind.Rows, 1);

    public long BytesOf(Artifact made) => made.Manifest.Files.Where(file => Described.Contains(file.Path)).Sum(file => file.Bytes);

    private static IEnumerable<string> Teachers(DistillationRecipe recipe) =>
        recipe.Teacher.IsThere ? TeacherRole.Of(recipe).Select(role => role.Model) : [];

    // What was trained elsewhere says what was handed over and what came back.
    private static string[] ReturnedOf(DistillationRecipe recipe) => recipe.Returned is null ? []
        : [ExternalInputs.HandedOver, ExternalInputs.Returned];

    /// <summary>What a recipe says of its model, whatever folder its models lie in and whatever the model replaces.</summary>
    public static string DigestOf(DistillationRecipe recipe) =>
        CanonicalJson.Digest(RecipeWriter.ToJson(recipe with { Promote = null }, path => Path.GetFileName(path)));

    public string Run(StageContext context)
    {
        var exported = context.Input(ExportStage.StageName);
        foreach (var file in exported.Artifact!.Manifest.Files.Where(file => !Described.Contains(file.Path)))
            context.Writer.Link(file.Path, exported.PathOf(file.Path), file);
        var architecture = DecoderConfigJson.Read(Path.Combine(context.Input(student).CheckpointFolder, DecoderConfigJson.FileName));
        ModelPackage.Describe(context.Folder, architecture, Describe(context), recipe.Export.Precision);
        foreach (string name in Described.Concat(ResultFiles(context.Folder))) context.Writer.Add(name);
        context.Worked(new WorkDone(1, Units: 1));
        return $"{architecture.ParameterCount:N0} parameters, described";
    }

    private PackageDescription Describe(StageContext context) => RecipeDescription.Of(
        recipe, recipe.Problems.HasSources
            ? SourceLicences.Read(context.Input(ProblemsStage.Train).PathOf(ProblemArtifact.SourcesName)) : []) with
    {
        Digests = Digests(context),
        Forms = ExportStage.ReadQuantization(context.Input(ExportStage.StageName))?.Forms ?? [],
        Parity = ParityStage.ReadReport(context.Input(ParityStage.StageName).Artifact!),
        Results = [.. Results(Evaluated(context))],
        Published = [Published(Evaluated(context))],
    };

    private static EvaluationReport Evaluated(StageContext context) =>
        EvaluationStage.ReadReport(context.Input(EvaluationStage.NameOf(StageGraph.Exported)).Artifact!);

    private static IEnumerable<string> ResultFiles(string folder)
    {
        string place = Path.Combine(folder, PublishedResult.Folder);
        return !Directory.Exists(place) ? [] : Directory.EnumerateFiles(place)
            .Select(path => $"{PublishedResult.Folder}/{Path.GetFileName(path)}").Order(StringComparer.Ordinal);
    }

    // Of a data set of the Hub where the recipe asks that and nothing else; a part held out of a training split is the recipe's own.
    private PublishedResult Published(EvaluationReport row)
    {
        var source = recipe.Problems.TestSources is [var only] ? only : null;
        string? dataSet = source?.Hub is { } hub && HubReference.TryParse(hub, HubKind.DataSet, out var reference, out _)
            ? reference.Repository : null;
        var (task, split) = dataSet is null ? (null, "test") : (source!.Config, source.Split ?? "train");
        return new(
            dataSet ?? "held-out problems", dataSet, task, split, row.Greedy, row.Problems, row.GreedyInterval95.Low,
            row.GreedyInterval95.High, $"greedy, {recipe.Export.Precision.Name()}") { TaskId = source?.EvalTask };
    }

    private Dictionary<string, string> Digests(StageContext context)
    {
        var digests = new Dictionary<string, string>
        {
            ["recipe"] = DigestOf(recipe),
            ["traces"] = context.Input(TracesStage.StageName).Digest,
            ["checkpoint"] = context.Input(student).Digest,
            ["base"] = context.Input(ExternalInputs.Base).Digest,
        };
        foreach (var (index, name) in Teachers(recipe).Index().Where(teacher => context.HasInput(teacher.Item)))
            digests[index == 0 ? "teacher" : $"teacher-{index + 1}"] = context.Input(name).Digest;
        foreach (string name in ReturnedOf(recipe)) digests[name] = context.Input(name).Digest;
        return digests;
    }

    private static IEnumerable<KeyValuePair<string, string>> Results(EvaluationReport row)
    {
        int n = row.Problems;
        yield return new("held-out problems", ReportNumbers.Count(n));
        yield return new(
            "solved greedily [95 %]", $"{ReportNumbers.Percent(row.Greedy, n)} [{ReportNumbers.Range(row.GreedyInterval95, n)}]");
        if (row is { PassAt1: { } share, Interval95: { } range })
            yield return new("solved by one sample [95 %]", $"{ReportNumbers.Percent(share, n)} [{ReportNumbers.Range(range, n)}]");
        if (row.Twins is { } twins)
        {
            string original = ReportNumbers.Number(twins.Original, twins.Problems);
            yield return new("original → perturbation twins", $"{original} → {ReportNumbers.Percent(twins.Perturbed, twins.Problems)}");
        }
    }
}
