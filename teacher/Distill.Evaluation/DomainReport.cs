using Distill.Evaluation.Statistics;

namespace Distill.Evaluation;

/// <summary>The figures of <see cref="EvaluationReport"/> for one domain.</summary>
public sealed record DomainReport(
    string Domain, int Problems, double Greedy, Interval GreedyInterval95, double? PassAt1, Interval? Interval95, double? MajAtK);
