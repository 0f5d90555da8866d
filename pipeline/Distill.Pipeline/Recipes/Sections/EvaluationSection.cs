using Distill.Evaluation;
using Distill.Export;
using Distill.Pipeline.Recipes.Binding;

namespace Distill.Pipeline.Recipes.Sections;

/// <summary><c>export</c>: the ONNX folder that apps load.</summary>
internal sealed record ExportSection : Section
{
    [Option("`fp32`; `fp16`, half the size, which CUDA devices need and a CPU runs slowly; `bf16`, for CUDA devices alone; `int8` or "
        + "`int4` for the large matrices")]
    public ExportPrecision Precision { get; init; } = ExportPrecision.Single;

    public override IEnumerable<Rule> Rules(Recipe recipe) =>
    [
        Rule.Require(Precision.RunsOnProcessor(), nameof(Precision),
            "parity and evaluation run the export on the CPU, which cannot compute it",
            "write another, and make this one of the student's checkpoint with 'distill export --precision bf16'"),
    ];
}

/// <summary><c>parity</c>: the gate between the trained and the exported model. A failure ends the run with exit code 3.</summary>
internal sealed record ParitySection : Section
{
    [Option("test problems compared", Minimum = 1, Maximum = 1_000_000, Default = "50, at most `problems.test`")]
    public int Prompts { get; init; } = 50;

    [Option("greedy tokens compared for each", Minimum = 1, Maximum = 1_000_000, Unit = "tokens")]
    public int Tokens { get; init; } = 128;

    [Option("largest logit difference allowed, as a share of the largest logit", Minimum = 0, Maximum = 1,
        Default = "that of the precision: 1e-4 for `fp32`, 0.01 for `fp16`, 0.1 for `int8`, 0.5 for `int4`")]
    public double Tolerance { get; init; } = 1e-4;

    public override object? DefaultOf(string property, Recipe recipe) => (property, (DistillationRecipe)recipe) switch
    {
        (nameof(Prompts), { } distillation) => Math.Min(50, distillation.Problems.Test),
        (nameof(Tolerance), { } distillation) => distillation.Export.Precision.Tolerance().RelativeLogits,
        _ => null,
    };

    public override IEnumerable<Rule> Rules(Recipe recipe)
    {
        int test = ((DistillationRecipe)recipe).Problems.Test;
        return [Rule.Require(Prompts <= test, nameof(Prompts), $"more than the {test:N0} test problems",
            "lower it or raise problems.test")];
    }
}

/// <summary><c>evaluation</c>: the same measurement for every model of the run, on the test problems and their twins.</summary>
internal sealed record EvaluationSection : Section
{
    [Option("sampled completions per problem besides the greedy one; 0: greedy only", Minimum = 0, Maximum = 1024)]
    public int Samples { get; init; } = 4;

    [Option("of the samples", Minimum = 0, Above = true, Maximum = 10)]
    public double Temperature { get; init; } = 1;

    [Option("longest completion", Minimum = 1, Maximum = 1_000_000, Unit = "tokens")]
    public int MaxTokens { get; init; } = 192;

    [Option("completions decoded together; speed only", Minimum = 1, Maximum = 4096, DecidesResult = false)]
    public int Slots { get; init; } = 64;

    [Option(Recipe.OwnSeed, Minimum = 0, Maximum = long.MaxValue, From = "seed")]
    public long Seed { get; init; }

    internal EvaluationOptions ToOptions() => new()
    {
        Seed = (ulong)Seed,
        Samples = Samples,
        Temperature = Temperature,
        MaxNewTokens = MaxTokens,
    };
}
