using Distill.Verification;
using Distill.Evaluation.Statistics;

namespace Distill.Evaluation;

/// <summary>One model's row of report.json (written in camel case).</summary>
/// <param name="Model"><c>teacher</c>, <c>base</c>, <c>answer-only</c>, <c>sft</c>, <c>rl</c>, <c>onnx</c> or any name.</param>
/// <param name="Samples">Sampled completions per problem.</param>
/// <param name="Greedy">Share of problems that the greedy answer solves.</param>
/// <param name="GreedyInterval95">Wilson's interval of <paramref name="Greedy"/>.</param>
/// <param name="PassAt1">Mean over problems of the share of right samples; null when none were drawn.</param>
/// <param name="Interval95">Interval of <paramref name="PassAt1"/> over problems: <see cref="Proportion.Clustered"/>.</param>
/// <param name="MajAtK">Share solved by the most frequent of the samples' answers, a tie counting in parts; null below 2 samples.</param>
/// <param name="MeanTokens">Mean completion length over greedy and sampled completions.</param>
/// <param name="Truncated">Share of those completions that reached the token limit; they count as wrong.</param>
/// <param name="Undecidable">Share of those completions in which no answer could be read.</param>
/// <param name="Twins">Null when no twins were given.</param>
public sealed record EvaluationReport(
    string Model,
    int Problems,
    int Samples,
    double Greedy,
    Interval GreedyInterval95,
    double? PassAt1,
    Interval? Interval95,
    double? MajAtK,
    double MeanTokens,
    double Truncated,
    double Undecidable,
    TwinReport? Twins,
    IReadOnlyList<DomainReport> ByDomain,
    IReadOnlyList<SampleTrace> SampleTraces);

/// <summary>The figures of <see cref="EvaluationReport"/> for one domain.</summary>
public sealed record DomainReport(
    string Domain, int Problems, double Greedy, Interval GreedyInterval95, double? PassAt1, Interval? Interval95, double? MajAtK);

/// <summary>Greedy answers to problems and to their perturbation twins. Reasoning carries over; pattern matching does not.</summary>
/// <param name="Original">Share solved of the problems that have a twin.</param>
/// <param name="Perturbed">Share solved of their twins, every problem counting once.</param>
/// <param name="Problems">Problems that have a twin.</param>
/// <param name="Twins">Twins of them, of all kinds.</param>
public sealed record TwinReport(
    double Original,
    double Perturbed,
    Interval OriginalInterval95,
    Interval PerturbedInterval95,
    int Problems,
    int Twins,
    IReadOnlyList<TwinKindReport> ByKind);

/// <summary>One kind of twin against its originals, pair by pair.</summary>
/// <param name="Kind"><c>renamed</c>, <c>irrelevant</c>, <c>unsatisfiable</c> or <c>recomputed</c>.</param>
/// <param name="Pairs">Problems with a twin of this kind.</param>
/// <param name="OnlyOriginal">Pairs of which only the original is solved.</param>
/// <param name="OnlyPerturbed">Pairs of which only the twin is solved.</param>
/// <param name="McNemarP">Exact p of the two shares being equal.</param>
public sealed record TwinKindReport(
    string Kind, int Pairs, double Original, double Perturbed, Interval PerturbedInterval95, int OnlyOriginal, int OnlyPerturbed,
    double McNemarP);

/// <summary>A greedy completion to look at.</summary>
public sealed record SampleTrace(
    string ProblemId, string Problem, string ReferenceAnswer, string Reasoning, string? Answer, Verdict Verdict);
