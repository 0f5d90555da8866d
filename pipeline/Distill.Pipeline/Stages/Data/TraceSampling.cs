using System.Text.Json.Nodes;
using Distill.Data.Problems;
using Distill.Data.Traces;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Binding;
using Distill.Pipeline.Recipes.Sections;
using Distill.Teacher;
using Distill.Verification;

namespace Distill.Pipeline.Stages.Data;

/// <summary>
/// What <c>traces</c> of a recipe mean for the stage that asks the teacher: which samples, within which budgets, and what is told of it.
/// Lives for one stage of one run; its counts are told by any thread.
/// </summary>
internal sealed class TraceSampling
{
    private readonly TraceSection section;
    private readonly int samples;
    private readonly ProblemVerifiers verifiers;
    private long graded, right;

    /// <param name="verifiers">Stay the caller's to dispose; default: those that need nothing.</param>
    public TraceSampling(DistillationRecipe recipe, RecipeVerifiers? verifiers = null)
    {
        this.verifiers = verifiers?.All ?? ProblemVerifiers.Standard;
        (section, samples) = (recipe.Traces, recipe.Teacher.Samples);
        Tally = section.IsPlain ? null : new SamplingTally(section.ToPolicy(samples), IsCorrect);
    }

    /// <summary>Null where everything is asked.</summary>
    public SamplingTally? Tally { get; }

    public SamplingPolicy? Policy => section.IsPlain ? null : section.ToPolicy(samples);

    public SampleBudget Budget => section.ToBudget();

    /// <summary>What of it decides the traces; the verifiers too, where verdicts do.</summary>
    public static (string, JsonNode?)[] KeyOf(DistillationRecipe recipe)
    {
        var section = recipe.Traces;
        if (section.IsPlain) return [];
        var key = section.ToKey(
            recipe, nameof(section.AcceptedPerProblem), nameof(section.GiveUpAfter), nameof(section.Balance),
            nameof(section.MaxTokensTotal), nameof(section.MaxCost), nameof(section.MaxTime));
        bool isAdaptive = section.ToPolicy(recipe.Teacher.Samples).IsAdaptive;
        return
        [
            ("traces", key), ("verifiers", isAdaptive ? RecipeVerifiers.VersionsOf(recipe) : null),
            ("prices", PricesOf(recipe, section.MaxCost)),
        ];
    }

    /// <summary>Where a cost decides, what things cost decides too; null elsewhere.</summary>
    public static JsonNode? PricesOf(DistillationRecipe recipe, double? maxCost) => maxCost is null ? null
        : new JsonArray(
            recipe.Teacher.PromptPrice, recipe.Teacher.CompletionPrice, OptionDeclaration.Spell(recipe.Teacher.Batch));

    public TraceCollectionOptions Limit(TraceCollectionOptions options) =>
        section.IsPlain ? options : options with { Policy = Policy, Budget = Budget, IsRight = IsRight };

    /// <summary>The verdict that decides whether a problem is asked on.</summary>
    public bool IsRight(Trace trace)
    {
        bool isRight = IsCorrect(trace);
        Interlocked.Increment(ref graded);
        if (isRight) Interlocked.Increment(ref right);
        return isRight;
    }

    /// <summary>For the progress line.</summary>
    public string Detail() => graded == 0 ? "" : $"{100.0 * right / graded:F0} % right";

    /// <summary>Writes what became of the problems.</summary>
    /// <param name="isOver">Whether the time was over.</param>
    /// <returns>The result in a line; null where everything was asked.</returns>
    /// <exception cref="InvalidDataException">The budget allowed nothing at all.</exception>
    public string? Finish(StageContext context, bool isOver)
    {
        if (Tally is null) return null;
        string budget = isOver ? "traces.max_time" : section.MaxCost is null ? "traces.max_tokens_total"
            : section.MaxTokensTotal is null ? "traces.max_cost" : "traces.max_cost or traces.max_tokens_total";
        var report = Tally.ToReport(budget);
        if (report is { Traces: 0, Problems: > 0 })
            throw new InvalidDataException(
                $"No completion was made: {budget} is too small for {report.Problems:N0} problems. Raise it, or ask fewer problems.");
        report.Write(context);
        if (report.CutOffBy is { } reached) context.Warning($"The traces were cut off by {reached}; the run goes on with what there is.");
        return report.Describe();
    }

    private bool IsCorrect(Trace trace) =>
        verifiers.Of(trace.Problem).Verify(trace.Answer, trace.Problem) == Verdict.Correct;
}
