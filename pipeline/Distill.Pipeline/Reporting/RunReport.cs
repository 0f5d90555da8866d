using Distill.Evaluation;
using Distill.Evaluation.Statistics;
using Distill.Export.Parity;

namespace Distill.Pipeline.Reporting;

/// <summary>A stage as the run that wrote the report met it.</summary>
/// <param name="State"><c>done</c> or <c>cached</c>.</param>
/// <param name="Seconds">What making it took, whenever that was; null when it was taken from another run or its time is lost.</param>
/// <param name="Inputs">Digest by name.</param>
/// <param name="Outputs">Digest of the artefact by folder.</param>
public sealed record StageReport(
    string Name, string State, string Reason, double? Seconds, string Summary, IReadOnlyDictionary<string, string> Inputs, IReadOnlyDictionary<string, string> Outputs);

/// <summary>Two models on the same problems: the difference <paramref name="After"/> − <paramref name="Before"/>, by paired bootstrap over problems.</summary>
/// <param name="Measure"><c>greedy</c> or <c>passAt1</c>.</param>
/// <param name="P">Two-sided.</param>
public sealed record Comparison(string Before, string After, string Measure, int Problems, double Difference, Interval Interval95, double P);

/// <summary>Whether the exported file says what the model it came from says.</summary>
/// <param name="Equal">Problems (twins included) whose greedy answers have the same tokens.</param>
public sealed record AnswerEquality(string Model, int Problems, int Equal);

/// <param name="Bytes">Of the weights at fp32.</param>
public sealed record ModelSize(string Model, long Parameters, long Bytes);

/// <summary>What curation made of the traces.</summary>
public sealed record CurationCounts(int Kept, IReadOnlyDictionary<string, int> Dropped);

/// <summary>Everything a run has to tell: <c>report.json</c>, and what <c>report.html</c> is made of. Immutable.</summary>
public sealed record RunReport
{
    public required string Run { get; init; }

    public required string RecipeDigest { get; init; }

    public required IReadOnlyList<StageReport> Stages { get; init; }

    public required IReadOnlyList<EvaluationReport> Evaluations { get; init; }

    public ParityReport? Parity { get; init; }

    /// <summary>Rates by name, e.g. <c>traces.teacherTokensPerSecond</c>; they depend on the machine.</summary>
    public IReadOnlyDictionary<string, double> Throughput { get; init; } = new Dictionary<string, double>();

    public IReadOnlyList<Comparison> Comparisons { get; init; } = [];

    public AnswerEquality? OnnxAnswers { get; init; }

    public IReadOnlyList<ModelSize> Models { get; init; } = [];

    public CurationCounts? Curation { get; init; }
}
