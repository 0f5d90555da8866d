using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Distill.Evaluation;
using Distill.Evaluation.Statistics;
using Distill.Export.Parity;
using Distill.Export.Quantization;
using Distill.Pipeline.OnPolicy;
using Distill.Pipeline.Promotions;

namespace Distill.Pipeline.Reporting;

/// <summary>
/// Everything a run found out: what <c>report.json</c> holds and <c>report.html</c> shows. Two are equal when their JSON is.
/// </summary>
internal sealed record RunReport
{
    /// <summary>Name of the run.</summary>
    public required string Run { get; init; }

    /// <summary>Digest of the resolved recipe.</summary>
    public required string RecipeDigest { get; init; }

    /// <summary>In the order they ran.</summary>
    public IReadOnlyList<StageReport> Stages { get; init; } = [];

    /// <summary>One row a model, in any order.</summary>
    public IReadOnlyList<EvaluationReport> Evaluations { get; init; } = [];

    /// <summary>Exported against trained model; null when nothing was exported.</summary>
    public ParityReport? Parity { get; init; }

    /// <summary>How the export's codes were chosen, and what they cost; null where each weight was rounded to nearest.</summary>
    public QuantizationRecord? Quantization { get; init; }

    /// <summary>Numbers of the exported weights, e.g. <c>int4</c>; null in reports of earlier versions.</summary>
    public string? ExportPrecision { get; init; }

    /// <summary>Rates by name, e.g. <c>teacherTokensPerSecond</c>.</summary>
    public IReadOnlyDictionary<string, double> Throughput { get; init; } = new Dictionary<string, double>();

    /// <summary>Models against each other on the same problems.</summary>
    public IReadOnlyList<ModelComparison> Comparisons { get; init; } = [];

    /// <summary>Whether the exported file answers as the model it was made from; null when not compared.</summary>
    public AnswerEquality? OnnxGreedyAnswersEqual { get; init; }

    /// <summary>In any order; models are matched by name.</summary>
    public IReadOnlyList<ModelSize> ModelSizes { get; init; } = [];

    /// <summary>Null when the run has no curation.</summary>
    public CurationReport? Curation { get; init; }

    /// <summary>What was to be expected of on-policy distillation; null where there is none, or no preflight of it.</summary>
    public OnPolicyReport? Preflight { get; init; }

    /// <summary>What a reader must know besides the numbers.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>
    /// The models in the order to be shown, and what they are called. Evaluated models that are not among them follow under their names.
    /// </summary>
    public IReadOnlyList<ReportedModel> Models { get; init; } = [];

    /// <summary>What the run was asked to do; null in reports of earlier versions.</summary>
    public RecipeReport? Recipe { get; init; }

    /// <summary>Where it ran; null in reports of earlier versions.</summary>
    public MachineReport? Machine { get; init; }

    /// <summary>Accuracy against tokens: every way in which a model was asked.</summary>
    public IReadOnlyList<AccuracyPoint> Accuracies { get; init; } = [];

    /// <summary>How long the teacher's traces and the models' answers are.</summary>
    public IReadOnlyList<LengthReport> Lengths { get; init; } = [];

    /// <summary>Test problems with every model's answer, side by side.</summary>
    public IReadOnlyList<AnsweredProblem> SideBySide { get; init; } = [];

    /// <summary>Who solved which problem; null in reports of earlier versions.</summary>
    public ProblemVerdicts? Verdicts { get; init; }

    /// <summary>Whether the model took the place of the one that applications load; null where that was not asked for.</summary>
    public PromotionReport? Promotion { get; init; }

    public bool Equals(RunReport? other) => other is not null && ReportJson.Write(this) == ReportJson.Write(other);

    public override int GetHashCode() => HashCode.Combine(Run, RecipeDigest);
}

/// <summary>What a model is to the run.</summary>
internal enum ModelRole
{
    /// <summary>Only run.</summary>
    Teacher,

    /// <summary>The student before training.</summary>
    Base,

    /// <summary>Trained by the run.</summary>
    Student,

    /// <summary>The exported file.</summary>
    Exported,
}

/// <param name="Name">As in <see cref="EvaluationReport.Model"/> and as the stage that makes it.</param>
/// <param name="Word">What it is called in a sentence, e.g. <c>RL</c>.</param>
/// <param name="Meaning">For who sees the name for the first time, e.g. <c>then rewarded for right answers</c>; may be empty.</param>
internal sealed record ReportedModel(string Name, ModelRole Role, string Word, string Meaning)
{
    /// <summary>Whether it is only there to be compared with: no later training goes on from it.</summary>
    public bool IsAside { get; init; }
}

/// <summary>What became of a stage.</summary>
internal enum StageState
{
    /// <summary>Done by this run.</summary>
    Done,

    /// <summary>Taken as it was: finished before, by this run or another.</summary>
    Cached,

    /// <summary>The recipe or the options leave it out.</summary>
    Skipped,

    /// <summary>It, or its gate, failed.</summary>
    Failed,
}

/// <param name="Reason">Why it ran or did not, in words.</param>
/// <param name="Seconds">Time it took; null when it did not run.</param>
/// <param name="Inputs">Name → digest of what it read.</param>
/// <param name="Outputs">Name → digest of what it made.</param>
internal sealed record StageReport(
    string Name, StageState State, string Reason, double? Seconds, IReadOnlyDictionary<string, string> Inputs,
    IReadOnlyDictionary<string, string> Outputs)
{
    /// <summary>How much it did; null where it did not say, did not run here, and in reports of earlier versions.</summary>
    public StageAmounts? Amounts { get; init; }

    /// <summary>Whether processes that were killed, or other machines, did a part whose time is not known.</summary>
    public bool IsTimeAtLeast { get; init; }
}

/// <summary>Two models on the same problems: <paramref name="Model"/> − <paramref name="Against"/>, in shares of problems solved.</summary>
/// <param name="Problems">Problems that both were asked.</param>
/// <param name="Greedy">Difference of the greedy answers; null when not compared.</param>
/// <param name="Sampled">Difference of the sampled shares; null when not compared.</param>
internal sealed record ModelComparison(string Model, string Against, int Problems, PairedBootstrap? Greedy, PairedBootstrap? Sampled);

/// <summary>Greedy answers of the exported file against those of the trained model.</summary>
/// <param name="Equal">Whether all of them are identical.</param>
/// <param name="Problems">Problems that both answered.</param>
/// <param name="IdenticalAnswers">Those of them with identical answers.</param>
internal sealed record AnswerEquality(bool Equal, int Problems, int IdenticalAnswers);

/// <param name="Model">As in <see cref="EvaluationReport.Model"/>.</param>
/// <param name="Bytes">Of its weights on disk.</param>
internal sealed record ModelSize(string Model, long Parameters, long Bytes);

/// <summary>What curation left of the traces.</summary>
/// <param name="Dropped">Reason → traces dropped for it.</param>
/// <param name="Examples">Reason → the first few of them; null in reports of old runs.</param>
internal sealed record CurationReport(
    long Kept, IReadOnlyDictionary<string, long> Dropped, IReadOnlyDictionary<string, IReadOnlyList<DroppedTrace>>? Examples = null);

/// <summary>A trace that was dropped, shortened.</summary>
/// <param name="Answer">Its beginning; empty where there is none.</param>
/// <param name="Reasoning">Its end.</param>
/// <param name="Refusal">What the teacher or its endpoint said instead of an answer; null where nothing was said.</param>
internal sealed record DroppedTrace(
    string ProblemId, int SampleIndex, string Answer, string ReferenceAnswer, string Reasoning, string? Refusal = null);

/// <summary>One measurement of a stage over its steps: a learning curve.</summary>
/// <param name="Name">E.g. <c>loss</c>, <c>reward</c>, <c>held_out</c>, <c>entropy</c>.</param>
/// <param name="Points">By rising step; values that are not finite are left out of the plot.</param>
internal sealed record MetricSeries(string Stage, string Name, IReadOnlyList<(double Step, double Value)> Points);

/// <summary><see cref="RunReport"/> ↔ <c>report.json</c>: camel case, enums as words, names in maps as they are.</summary>
internal static class ReportJson
{
    // A rate that is not a number must not cost the report of a whole night: it is written as the word "NaN".
    private static readonly JsonSerializerOptions Spelling = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        RespectNullableAnnotations = true,
        AllowDuplicateProperties = false,
        WriteIndented = true,
        NewLine = "\n",
    };

    public static string Write(RunReport report) => JsonSerializer.Serialize(report, Spelling) + "\n";

    /// <exception cref="JsonException">The text is no report.</exception>
    public static RunReport Read(string text) =>
        JsonSerializer.Deserialize<RunReport>(text, Spelling) ?? throw new JsonException("A report is an object, not null.");
}
