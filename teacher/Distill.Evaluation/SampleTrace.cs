using Distill.Data.Verification;

namespace Distill.Evaluation;

/// <summary>A greedy completion to look at.</summary>
public sealed record SampleTrace(string ProblemId, string Problem, string ReferenceAnswer, string Reasoning, string? Answer, Verdict Verdict);
