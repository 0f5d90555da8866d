using System.Text.Json;
using System.Text.Json.Nodes;
using Distill.Data.Problems;
using Distill.Evaluation.Strategies;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Models;
using Distill.Pipeline.Planning;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Stages.Data;
using Distill.Storage;

namespace Distill.Pipeline.Stages;

/// <summary>The exported model on the test problems by ways that spend more tokens: what each further token is worth.</summary>
internal sealed class StrategyStage(DistillationRecipe recipe) : IStage
{
    public const string StageName = "strategies";

    private const string ReportName = "strategies.json";

    public StageDeclaration Declaration { get; } = new()
    {
        Name = StageName,
        Folder = "8-strategies",
        Kind = "strategies",
        Version = 1,
        Inputs = [ProblemsStage.Test, ExportStage.StageName],
        Options = StageDeclaration.OptionsOf(
            ("strategies", new JsonArray([.. Chosen(recipe).Select(strategy => (JsonNode?)strategy.Name)])),
            ("evaluation", recipe.Evaluation.ToAnswersKey(recipe)), ("verifiers", RecipeVerifiers.VersionsOf(recipe)),
            ("prompt", PromptSection.KeyOf(recipe.Prompt.ToStudentStyle())), ("device", recipe.Devices.ExportedKey(recipe))),
        Resource = StageResource.Model,
    };

    public string Work => $"{recipe.Problems.Test:N0} problems × {recipe.Evaluation.Samples} by each of "
        + string.Join(", ", Chosen(recipe).Select(strategy => strategy.Name));

    /// <summary>A student is as large as its base.</summary>
    public StageMemory? Memory => ModelMemory.ForCompletions(
        recipe.Student.Base, recipe.Evaluation.Slots, recipe.Evaluation.MaxTokens, recipe.Devices.ExportedKey(recipe) is not null);

    public StageLoad Load(Foresight earlier) => new(
        WorkKind.Completions,
        (earlier.Rows(ProblemsStage.Test) ?? recipe.Problems.Test) * (1 + recipe.Evaluation.Samples) * Chosen(recipe).Count)
    {
        Model = ExternalInputs.Base, MaxTokens = recipe.Evaluation.MaxTokens, Setting = $"{recipe.Evaluation.Slots} slots",
    };

    public static IReadOnlyList<StrategyReport> ReadReports(Artifact made) =>
        JsonSerializer.Deserialize<List<StrategyReport>>(File.ReadAllBytes(made.PathOf(ReportName)), EvaluationStage.Spelling)
        ?? throw new InvalidDataException($"'{made.Folder}' holds no strategies.");

    public string Run(StageContext context)
    {
        Problem[] problems = ProblemsStage.Read(context, ProblemsStage.Test);
        using var model = ServedModel.Open(
            context.Input(ExportStage.StageName).Folder, recipe.Evaluation.Slots, style: recipe.Prompt.ToStudentStyle(),
            device: recipe.Devices.Exported(recipe).Device);
        using var verifiers = RecipeVerifiers.Open(context, recipe);
        var reports = new List<StrategyReport>();
        long completions = 0, tokens = 0;
        foreach (var strategy in Chosen(recipe))
        {
            var reasoner = new Reasoner(
                model.Generator, model.Encoder, verifiers.All.Of,
                made => context.Progress(
                    new StageProgress(made.Completions, Math.Max(made.Completions, made.Total), "completions", strategy.Name)),
                context.Cancellation);
            reports.Add(StrategyEvaluation.Run(StageGraph.Exported, strategy, reasoner, problems, OptionsOf(strategy)));
            (completions, tokens) = (completions + reports[^1].Totals.Completions, tokens + reports[^1].Totals.CompletionTokens);
        }

        context.Writer.Write(ReportName, JsonSerializer.SerializeToUtf8Bytes(reports, EvaluationStage.Spelling));
        context.Worked(new WorkDone(completions, Tokens: tokens, Units: tokens));
        return string.Join("; ", reports.Select(report =>
            $"{report.Strategy} {Reporting.ReportNumbers.Percent(report.Levels[^1].Accuracy, problems.Length)}"))
            + $" of {problems.Length:N0} problems";
    }

    private static IReadOnlyList<IStrategy> Chosen(DistillationRecipe recipe) => recipe.Evaluation.ChosenStrategies;

    // Prolonged thought and revisions go on greedily, as 'distill evaluate' has it.
    private StrategyOptions OptionsOf(IStrategy strategy) => new()
    {
        Seed = (ulong)recipe.Evaluation.Seed, Budget = recipe.Evaluation.Samples, MaxNewTokens = recipe.Evaluation.MaxTokens,
        Temperature = strategy is SelfConsistency or BestOfN ? recipe.Evaluation.Temperature : 0,
    };
}
