using Distill.Evaluation;
using Distill.Export.Parity;

namespace Distill.Pipeline.Reporting;

/// <summary>Everything a run found out: what <c>report.json</c> holds and <c>report.html</c> shows. Two are equal when their JSON is.</summary>
public sealed record RunReport
{
    /// <summary>Name of the run.</summary>
    public required string Run { get; init; }

    /// <summary>Digest of the resolved recipe.</summary>
    public required string RecipeDigest { get; init; }

    /// <summary>In the order they ran.</summary>
    public IReadOnlyList<StageReport> Stages { get; init; } = [];

    /// <summary>One row a model.</summary>
    public IReadOnlyList<EvaluationReport> Evaluations { get; init; } = [];

    /// <summary>Exported against trained model; null when nothing was exported.</summary>
    public ParityReport? Parity { get; init; }

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

    /// <summary>What a reader must know besides the numbers.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    public bool Equals(RunReport? other) => other is not null && ReportJson.Write(this) == ReportJson.Write(other);

    public override int GetHashCode() => HashCode.Combine(Run, RecipeDigest);
}
