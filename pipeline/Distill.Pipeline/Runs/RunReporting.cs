using System.Text;
using Distill.Architecture;
using Distill.Data.Problems;
using Distill.Export;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Planning;
using Distill.Pipeline.Promotions;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Reporting.Gathering;
using Distill.Pipeline.Stages;
using Distill.Pipeline.Stages.Data;
using Distill.Pipeline.Stages.Data.Teachers;
using Distill.Pipeline.Stages.Training;
using Distill.Storage;
using Distill.Tokenization;

namespace Distill.Pipeline.Runs;

/// <summary>Finished stages → report. Reads artefacts; what it computes are the paired comparisons.</summary>
internal static class RunReporting
{
    public static RunReport Write(
        DistillationRecipe recipe, RunFolder folder, RunArtifacts artifacts, RunLedger ledger, PromotionReport? promotion)
    {
        var report = Of(recipe, folder.Name, artifacts, ledger) with { Promotion = promotion };
        ReplacedFile.Write(folder.ReportJsonPath, Encoding.UTF8.GetBytes(ReportJson.Write(report)));
        ReplacedFile.Write(folder.ReportPath, Encoding.UTF8.GetBytes(ReportHtml.Render(report, artifacts.Curves())));
        return report;
    }

    private static RunReport Of(DistillationRecipe recipe, string run, RunArtifacts artifacts, RunLedger ledger)
    {
        var answers = AnswerSheets.Read(artifacts.Stages);
        return new RunReport
        {
            Run = run,
            RecipeDigest = PackageStage.DigestOf(recipe),
            Stages = [.. artifacts.Stages.Select(stage => Describe(stage, ledger))],
            Evaluations =
            [
                .. artifacts.Stages.Where(stage => stage.Stage is EvaluationStage)
                    .Select(stage => EvaluationStage.ReadReport(stage.Artifact)),
            ],
            Parity = artifacts.Find(ParityStage.StageName) is { } parity ? ParityStage.ReadReport(parity) : null,
            Quantization = artifacts.Find(ExportStage.StageName) is { } exported
                ? ExportStage.ReadQuantization(new StageInput(exported.Folder, exported.Digest, exported)) : null,
            ExportPrecision = recipe.Export.Precision.Name(),
            Throughput = Rates(artifacts, ledger),
            Comparisons = answers.Compare(artifacts.Graph.Comparisons),
            OnnxGreedyAnswersEqual = answers.Equality(StageGraph.Exported, StudentName(artifacts.Graph)),
            ModelSizes = [.. Sizes(recipe, artifacts)],
            Curation = artifacts.Find(CurationStage.StageName) is { } curated ? CurationStage.ReadReport(curated) : null,
            Preflight = artifacts.Find(OnPolicyPreflightStage.StageName) is { } preflight
                ? OnPolicyPreflightStage.ReadReport(preflight) : null,
            Notes = [.. Notes(recipe, artifacts)],
            Models =
            [
                .. artifacts.Stages.Where(stage => stage.Stage is EvaluationStage)
                    .Select(stage => Model(artifacts.Graph, stage.Declaration)),
            ],
            Accuracies = [.. Accuracies(artifacts, answers)],
            Lengths = CompletionLengths.Of(recipe.TraceOrigin, artifacts.Find(CurationStage.StageName), Sheets(artifacts, answers)),
            SideBySide = SideBySideOf(recipe, artifacts, answers),
            Verdicts = answers.Verdicts(artifacts.Stages.Where(stage => stage.Stage is EvaluationStage)
                .Select(stage => EvaluationStage.ReadReport(stage.Artifact))),
            Recipe = RecipeReport.Of(recipe),
            Machine = MachineReport.OfThisMachine(),
        };
    }

    private static ReportedModel Model(StageGraph graph, StageDeclaration evaluation)
    {
        string name = EvaluationStage.ModelOf(evaluation.Name);
        if (graph.Students.FirstOrDefault(stage => stage.Student!.Name == name)?.Student is { } student)
            return new(name, ModelRole.Student, student.Label, student.Description) { IsAside = !student.Continues };
        return name switch
        {
            StageGraph.Teacher => new(name, ModelRole.Teacher, name, graph.Stages.Any(stage => stage is JoinedTracesStage)
                ? "only run: the first of the models that wrote the traces" : "only run: the model that wrote the traces"),
            StageGraph.Base => new(name, ModelRole.Base, name, "the student before training"),
            StageGraph.Exported => new(name, ModelRole.Exported, "ONNX", "the exported file"),
            _ => throw new InvalidOperationException($"No stage of the recipe makes a model '{name}'."),
        };
    }

    private static string StudentName(StageGraph graph) =>
        graph.Students.FirstOrDefault(stage => stage.Name == graph.Student)?.Student!.Name ?? StageGraph.Base;

    private static StageReport Describe(FinishedStage stage, RunLedger ledger) => new(
        stage.Declaration.Name, stage.Outcome.State, $"{stage.Outcome.Reason}: {FinishedStages.SummaryOf(stage.Artifact)}",
        Entry(stage, ledger) is { TakenFrom: null } entry ? Math.Round(entry.Seconds, 3) : null,
        stage.Inputs, new Dictionary<string, string> { [stage.Declaration.Folder] = stage.Artifact.Digest })
    {
        IsTimeAtLeast = Entry(stage, ledger) is { TakenFrom: null } timed && (timed.IsUntimed || timed.Work is { Rows: > 0, Units: 0 }),
        Amounts = Entry(stage, ledger) is { TakenFrom: null } done ? AmountsOf(stage, done) : null,
    };

    private static StageAmounts? AmountsOf(FinishedStage stage, LedgerEntry entry) => entry.Work is not { } work ? null : new StageAmounts(
        work.Rows, work.PromptTokens > 0 ? work.PromptTokens : null, work.Tokens > 0 ? work.Tokens : null,
        work.Steps > 0 ? work.Steps : null,
        work.Tokens > 0 && work.Units > 0 && (entry.OwnSeconds ?? entry.Seconds) is > 0 and var own
            ? Math.Round(work.Units / own, 1) : null,
        stage.Stage.BytesOf(stage.Artifact),
        entry.Measures.TryGetValue("teacherCost", out double cost) ? cost : null)
    {
        IsCostAtLeast = entry.IsContinued,
    };

    private static IReadOnlyList<(string Model, IReadOnlyList<SheetAnswer> Answers)> Sheets(RunArtifacts artifacts, AnswerSheets answers) =>
    [
        .. artifacts.Stages.Where(stage => stage.Stage is EvaluationStage).Select(stage => EvaluationStage.ModelOf(stage.Declaration.Name))
            .Select(model => (model, answers.Of(model)!)),
    ];

    private static IEnumerable<AccuracyPoint> Accuracies(RunArtifacts artifacts, AnswerSheets answers) =>
    [
        .. artifacts.Stages.Where(stage => stage.Stage is EvaluationStage).Select(stage => EvaluationStage.ReadReport(stage.Artifact))
            .SelectMany(report => AccuracyPoints.Of(report, answers.Of(report.Model)!)),
        .. artifacts.Find(StrategyStage.StageName) is { } made ? StrategyStage.ReadReports(made).SelectMany(AccuracyPoints.Of) : [],
    ];

    private static IReadOnlyList<AnsweredProblem> SideBySideOf(DistillationRecipe recipe, RunArtifacts artifacts, AnswerSheets answers)
    {
        if (artifacts.Find(ProblemsStage.Test) is not { } test) return [];
        string last = StudentName(artifacts.Graph);
        var own = new Lazy<AnswerReader>(() => new AnswerReader(ChatEncoder.Load(artifacts.StudentFolder(recipe))));
        var teacher = new Lazy<AnswerReader>(() => new AnswerReader(ChatEncoder.Load(recipe.Teacher.Model)));
        return new SideBySide(Sheets(artifacts, answers)).Choose(
            [.. ProblemFile.Read(test.PathOf(ProblemsStage.FileName))], Trainings(artifacts.Graph), last,
            recipe.Teacher.IsLocal ? StageGraph.Teacher : null,
            model => model == StageGraph.Teacher ? teacher.Value : own.Value); // all students have the tokenizer of the last
    }

    // Each training beside the student that it began with, the last first: what it taught is what a reader asks for.
    internal static IEnumerable<(string Before, string After, string Name)> Trainings(StageGraph graph)
    {
        string before = StageGraph.Base;
        var line = new List<(string, string, string)>();
        foreach (var student in graph.Students.Select(stage => stage.Student!).Where(student => student.Continues))
        {
            line.Add((before, student.Name, student.Label));
            before = student.Name;
        }

        line.Reverse();
        return line;
    }

    private static Dictionary<string, double> Rates(RunArtifacts artifacts, RunLedger ledger) => artifacts.Stages
        .SelectMany(stage => Entry(stage, ledger)?.Measures
            .Select(measure => KeyValuePair.Create($"{stage.Declaration.Name}/{measure.Key}", measure.Value)) ?? [])
        .ToDictionary(pair => pair.Key, pair => pair.Value);

    private static IEnumerable<string> Notes(DistillationRecipe recipe, RunArtifacts artifacts)
    {
        if (recipe.Teacher.Remote is { } remote)
        {
            var made = artifacts.Find(TeacherRole.Of(recipe)[0].Stage);
            string traces = made is null ? "" : $" Its traces: {FinishedStages.SummaryOf(made)}.";
            yield return $"The teacher {recipe.Teacher.Name} at {new Uri(remote.Endpoint).Host} is not in the comparison: "
                + $"measuring it would ask and pay for every test problem.{traces}";
        }

        if (recipe.Traces.From is not null && artifacts.Find(TracesStage.StageName) is { } given)
            yield return $"Nothing was generated by a teacher: {FinishedStages.SummaryOf(given)}.";
        foreach (var asked in TeacherRole.Of(recipe).Select(role => artifacts.Find(role.Stage)).OfType<Artifact>())
        {
            if (SamplingReport.Read(asked)?.CutOffBy is { } budget)
                yield return $"The traces were cut off by {budget}: {FinishedStages.SummaryOf(asked)}. A larger budget goes on from there.";
        }

        if (recipe.Teachers.Count > 0 && artifacts.Find(TracesStage.StageName) is { } joined)
            yield return $"Traces of several teachers were learned: {FinishedStages.SummaryOf(joined)}."
                + (recipe.Teacher.IsLocal ? " The table's teacher is the first." : "");

        if (artifacts.Find(OnPolicyPreflightStage.StageName) is { } preflight)
            yield return $"Before on-policy distillation: {FinishedStages.SummaryOf(preflight)}.";

        var noted = artifacts.Graph.Students
            .Where(stage => stage.Student!.Note is not null && artifacts.Find(stage.Name) is not null);
        foreach (var stage in noted)
            yield return $"{stage.Student!.Note}: {FinishedStages.SummaryOf(artifacts.Find(stage.Name)!)}.";
    }

    private static LedgerEntry? Entry(FinishedStage stage, RunLedger ledger) =>
        ledger.Find(stage.Declaration.Name, stage.Artifact.Manifest.Facts.GetValueOrDefault(StageKey.DigestFact, ""));

    private static IEnumerable<ModelSize> Sizes(DistillationRecipe recipe, RunArtifacts artifacts)
    {
        if (recipe.Teacher.IsLocal && WorkingModels.ParametersOf(recipe.Teacher.Model) is { } teacher)
            yield return Size(StageGraph.Teacher, teacher);
        long start = DecoderConfigJson.Read(Path.Combine(recipe.Student.Base, DecoderConfigJson.FileName)).ParameterCount, exported = start;
        yield return Size(StageGraph.Base, start);
        foreach (var stage in artifacts.Graph.Students)
        {
            long parameters = artifacts.ArchitectureOf(stage.Name).ParameterCount;
            if (stage.Name == artifacts.Graph.Student) exported = parameters;
            yield return Size(stage.Student!.Name, parameters);
        }

        yield return artifacts.Find(ExportStage.StageName) is { } file
            ? new ModelSize(StageGraph.Exported, exported, WeightBytes(file)) : Size(StageGraph.Exported, exported);
    }

    private static long WeightBytes(Artifact exported) =>
        exported.Manifest.Files.Where(file => file.Path.StartsWith("onnx/", StringComparison.Ordinal)).Sum(file => file.Bytes);

    private static ModelSize Size(string model, long parameters) => new(model, parameters, parameters * sizeof(float));
}
