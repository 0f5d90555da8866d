using System.Text.Json.Serialization;
using Distill.Export;
using Distill.Export.Parity;
using Distill.Pipeline.Models;
using Distill.Pipeline.Recipes.Binding;

namespace Distill.Pipeline.Recipes.Sections;

/// <summary><c>parity</c>: the gate between the trained and the exported model. A failure ends the run with exit code 3.</summary>
internal sealed record ParitySection : Section
{
    private const string OfRounded = "`int8` and `int4`: ";

    [Option("test problems compared", Minimum = 1, Maximum = 1_000_000, Default = "50, at most `problems.test`")]
    public int Prompts { get; init; } = 50;

    [Option("greedy tokens compared for each", Minimum = 1, Maximum = 1_000_000, Unit = "tokens")]
    public int Tokens { get; init; } = 128;

    [Option("largest logit difference allowed, as a share of the largest logit", Minimum = 0, Maximum = 1,
        Default = "that of the precision: 1e-4 for `fp32`, 0.01 for `fp16`, 0.1 for `int8`, 0.5 for `int4`")]
    public double Tolerance { get; init; } = 1e-4;

    [Option(OfRounded + "largest perplexity allowed, as a multiple of the trained model's, over its own answers to the test problems and "
        + "their solutions", Minimum = 1, Maximum = 1000, Default = "1.03 for `int8`, 1.08 for `int4`")]
    public double Perplexity { get; init; } = QualityLimits.Int8.Perplexity;

    [Option(OfRounded + "largest Kullback-Leibler divergence from the trained model allowed, mean per token", Minimum = 0, Maximum = 100,
        Unit = "nats", Default = "0.02 for `int8`, 0.12 for `int4`")]
    public double Divergence { get; init; } = QualityLimits.Int8.Divergence;

    [Option(OfRounded + "the same at the 99th percentile: what one token in a hundred may see", Minimum = 0, Maximum = 100, Unit = "nats",
        Default = "0.3 for `int8`, 1.2 for `int4`")]
    public double Divergence99 { get; init; } = QualityLimits.Int8.Divergence99;

    [Option(OfRounded + "least share of positions at which both hold the same token for the most probable, and least share of greedy "
        + "tokens that stay", Minimum = 0, Maximum = 1, Default = "0.93 for `int8`, 0.85 for `int4`")]
    public double Agreement { get; init; } = QualityLimits.Int8.Agreement;

    [Option(OfRounded + "share of the test problems by which the accuracy may fall; refused when the 95 % interval of the paired "
        + "difference lies below that", Minimum = 0, Maximum = 1, Default = "0.02 for `int8`, 0.05 for `int4`")]
    public double AccuracyLoss { get; init; } = QualityLimits.Int8.AccuracyLoss;

    [Option("other runtimes that decode the same prompts: `genai`, ONNX Runtime GenAI, or `none`. `distill verify` knows transformers.js "
        + "too")]
    public RunRuntimes Runtimes { get; init; } = RunRuntimes.GenAI;

    public override object? DefaultOf(string property, Recipe recipe)
    {
        var distillation = (DistillationRecipe)recipe;
        var limits = QualityLimits.For(distillation.Export.Precision) ?? QualityLimits.Int8;
        return property switch
        {
            nameof(Prompts) => Math.Min(50, distillation.Problems.Test),
            nameof(Tolerance) => distillation.Export.Precision.Tolerance().RelativeLogits,
            nameof(Perplexity) => limits.Perplexity,
            nameof(Divergence) => limits.Divergence,
            nameof(Divergence99) => limits.Divergence99,
            nameof(Agreement) => limits.Agreement,
            nameof(AccuracyLoss) => limits.AccuracyLoss,
            _ => null,
        };
    }

    public override IEnumerable<Rule> Rules(Recipe recipe)
    {
        int test = ((DistillationRecipe)recipe).Problems.Test;
        return [Rule.Require(Prompts <= test, nameof(Prompts), $"more than the {test:N0} test problems",
            "lower it or raise problems.test")];
    }

    /// <summary>Null for a precision that is held to the numbers.</summary>
    internal QualityLimits? LimitsFor(ExportPrecision precision) => QualityLimits.For(precision) is null ? null
        : new(Perplexity, Divergence, Divergence99, Agreement, AccuracyLoss);

    internal ParityTolerance ToleranceFor(ExportPrecision precision)
    {
        var tolerance = precision.Tolerance() with { RelativeLogits = Tolerance };
        return LimitsFor(precision) is { } limits ? tolerance with { MismatchShare = 1 - limits.Agreement } : tolerance;
    }

    /// <summary>Names as <see cref="ExportedRuntimes"/> knows them.</summary>
    internal IReadOnlyList<string> RuntimeNames => Runtimes == RunRuntimes.GenAI ? [GenAIRuntime.RuntimeName] : [];
}

/// <summary>Runtimes of a run's gate: those that every machine has, so that the result is the same on all of them.</summary>
internal enum RunRuntimes
{
    /// <summary>The own engine alone.</summary>
    None,

    /// <summary>ONNX Runtime GenAI as well.</summary>
    [JsonStringEnumMemberName("genai")]
    GenAI,
}
