using Distill.Architecture;
using Distill.Data.Publishing.Licences;
using Distill.Evaluation;
using Distill.Export.Package;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Problems;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Stages.Data;

namespace Distill.Pipeline.Stages;

/// <summary>
/// The folder that apps load: the exported model with its results in card and provenance. Its weights are those of the export, on disk
/// once.
/// </summary>
/// <param name="student">Stage or model whose student was exported.</param>
internal sealed class PackageStage(DistillationRecipe recipe, string student) : IStage
{
    public StageDeclaration Declaration { get; } = new()
    {
        Name = RunFolder.ModelLink,
        Folder = RunFolder.ModelLink,
        Kind = "model",
        Version = 1,
        Inputs =
        [
            // Whose problems they are is told on the card.
            .. recipe.Problems.HasSources ? [ProblemsStage.Train] : Array.Empty<string>(),
            .. new[]
            {
                student, TracesStage.StageName, ExportStage.StageName, ParityStage.StageName,
                EvaluationStage.NameOf(StageGraph.Exported), ExternalInputs.Base,
            }.Concat(recipe.Teacher.IsThere ? [ExternalInputs.Teacher] : []).Distinct(),
        ],
        Options = new() { ["recipe"] = DigestOf(recipe), ["export"] = recipe.Export.ToKey(recipe) },
    };

    public string Work => "card and provenance";

    /// <summary>What a recipe says of its model, whatever folder its models lie in and whatever the model replaces.</summary>
    public static string DigestOf(DistillationRecipe recipe) =>
        CanonicalJson.Digest(RecipeWriter.ToJson(recipe with { Promote = null }, path => Path.GetFileName(path)));

    public string Run(StageContext context)
    {
        var exported = context.Input(ExportStage.StageName);
        string[] described = [ModelCard.Name, PackageProvenance.FileName];
        foreach (var file in exported.Artifact!.Manifest.Files.Where(file => !described.Contains(file.Path)))
            context.Writer.Link(file.Path, exported.PathOf(file.Path), file);
        var architecture = DecoderConfigJson.Read(Path.Combine(context.Input(student).CheckpointFolder, DecoderConfigJson.FileName));
        ModelPackage.Describe(context.Folder, architecture, Licensed(context), recipe.Export.Precision);
        foreach (string name in described) context.Writer.Add(name);
        return $"{architecture.ParameterCount:N0} parameters, described";
    }

    private PackageDescription Licensed(StageContext context)
    {
        var description = Describe(context);
        var parts = RecipeLicences.Of(recipe, recipe.Problems.HasSources
            ? SourceLicences.Read(context.Input(ProblemsStage.Train).PathOf(ProblemArtifact.SourcesName)) : []);
        var policy = recipe.Publish.ToPolicy();
        return parts.Count == 0 ? description
            : description with { License = policy.LicenceOf(parts), Licensed = parts, Conflicts = policy.Conflicts(parts) };
    }

    private PackageDescription Describe(StageContext context) => new()
    {
        Name = recipe.Name,
        Teacher = recipe.TraceOrigin,
        Digests = Digests(context),
        Prompt = recipe.Prompt.ToStudentStyle(),
        Parity = ParityStage.ReadReport(context.Input(ParityStage.StageName).Artifact!),
        Results = [.. Results(EvaluationStage.ReadReport(context.Input(EvaluationStage.NameOf(StageGraph.Exported)).Artifact!))],
    };

    private Dictionary<string, string> Digests(StageContext context)
    {
        var digests = new Dictionary<string, string>
        {
            ["recipe"] = DigestOf(recipe),
            ["traces"] = context.Input(TracesStage.StageName).Digest,
            ["checkpoint"] = context.Input(student).Digest,
            ["base"] = context.Input(ExternalInputs.Base).Digest,
        };
        if (context.HasInput(ExternalInputs.Teacher)) digests["teacher"] = context.Input(ExternalInputs.Teacher).Digest;
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
