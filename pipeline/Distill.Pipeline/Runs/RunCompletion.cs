using System.Text;
using Distill.Evaluation;
using Distill.Export.Package;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Storage;

namespace Distill.Pipeline.Runs;

/// <summary>After the last stage: the report, and the model folder with its card filled in.</summary>
internal static class RunCompletion
{
    public static RunResult Finish(DistillationRecipe recipe, RunFolder folder, IReadOnlyList<FinishedStage> done, bool isWhole, RunLedger ledger)
    {
        if (!isWhole) return new RunResult(folder.Name, folder.Path, null, null, null);
        var artifacts = new RunArtifacts(recipe, done);
        var report = ReportAssembly.Of(recipe, folder.Name, artifacts, ledger);
        RunFolder.Replace(folder.ReportJsonPath, Encoding.UTF8.GetBytes(ReportJson.Write(report)));
        RunFolder.Replace(folder.ReportPath, Encoding.UTF8.GetBytes(ReportHtml.Render(report, artifacts.Curves())));
        PublishModel(recipe, folder, artifacts, report);
        return new RunResult(folder.Name, folder.Path, folder.ReportPath, folder.ModelPath, report);
    }

    /// <summary>The exported folder again with its results in card and provenance; exchanged as a whole.</summary>
    private static void PublishModel(DistillationRecipe recipe, RunFolder folder, RunArtifacts artifacts, RunReport report) => FolderExchange.Write(folder.ModelPath, fresh =>
    {
        var exported = artifacts.Find(StageNames.Onnx)!;
        foreach (var file in exported.Manifest.Files)
        {
            string target = Path.Combine(fresh, file.Path);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(exported.PathOf(file.Path), target);
        }

        ModelPackage.Describe(fresh, artifacts.StudentArchitecture(), Describe(recipe, artifacts, report), recipe.Export.Precision.ToExport());
    });

    private static PackageDescription Describe(DistillationRecipe recipe, RunArtifacts artifacts, RunReport report) => new()
    {
        Name = recipe.Name,
        Teacher = recipe.Teacher.Name,
        Digests = new Dictionary<string, string>
        {
            ["recipe"] = report.RecipeDigest,
            ["traces"] = artifacts.Find(StageNames.Traces)!.Digest,
            ["checkpoint"] = artifacts.Find(artifacts.StudentStage)!.Digest,
            ["teacher"] = artifacts.ExternalDigest(ExternalInputs.Teacher),
            ["base"] = artifacts.ExternalDigest(ExternalInputs.Base),
        },
        Parity = report.Parity,
        Results = [.. report.Evaluations.Where(row => row.Model == "onnx").SelectMany(Results)],
    };

    private static IEnumerable<KeyValuePair<string, string>> Results(EvaluationReport row)
    {
        yield return new("held-out problems", ReportNumbers.Count(row.Problems));
        yield return new("solved greedily [95 %]", $"{ReportNumbers.Percent(row.Greedy, row.Problems)} [{ReportNumbers.Range(row.GreedyInterval95, row.Problems)}]");
        if (row is { PassAt1: { } share, Interval95: { } range }) yield return new("solved by one sample [95 %]", $"{ReportNumbers.Percent(share, row.Problems)} [{ReportNumbers.Range(range, row.Problems)}]");
        if (row.Twins is { } twins)
            yield return new("original → perturbation twins", $"{ReportNumbers.Number(twins.Original, twins.Problems)} → {ReportNumbers.Percent(twins.Perturbed, twins.Problems)}");
    }
}
