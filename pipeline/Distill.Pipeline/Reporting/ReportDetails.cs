using Distill.Evaluation.Statistics;

namespace Distill.Pipeline.Reporting;

/// <summary>How much a stage did, and what it cost.</summary>
/// <param name="Rows">Completions, examples, problems or prompts.</param>
/// <param name="PromptTokens">Null where they were not counted.</param>
/// <param name="Tokens">Of completions, or read by a student; null where there are none.</param>
/// <param name="TokensPerSecond">
/// While the process ran that finished the stage, its opening and closing included; null where no tokens were timed.
/// </param>
/// <param name="Bytes">Of the artefact.</param>
/// <param name="Cost">Paid by this run, by the recipe's prices; null where nothing is paid for.</param>
internal sealed record StageAmounts(
    long Rows, long? PromptTokens, long? Tokens, int? Steps, double? TokensPerSecond, long Bytes, double? Cost)
{
    /// <summary>Whether earlier processes paid for a part, and how much is not known.</summary>
    public bool IsCostAtLeast { get; init; }
}

/// <summary>One way of asking a model, as a point of accuracy against tokens.</summary>
/// <param name="Way">E.g. <c>greedy</c>, <c>one sample</c>, <c>vote of 4</c>, or a strategy and its budget.</param>
/// <param name="Tokens">Generated per problem, those of discarded samples included.</param>
internal sealed record AccuracyPoint(string Model, string Way, double Accuracy, Interval Interval95, int Problems, double Tokens);

/// <summary>How long completions are, and which of them are right.</summary>
/// <param name="Model">Who wrote them.</param>
/// <param name="AreTraces">Whether they are what the students learned from; else greedy answers to the test problems.</param>
/// <param name="Width">Tokens of a class: the first holds lengths from 0 to one less.</param>
internal sealed record LengthReport(
    string Model, bool AreTraces, long Count, double Mean, int Median, int Longest, int Width, IReadOnlyList<LengthClass> Classes);

/// <summary>Completions of a class of lengths, by verdict.</summary>
/// <param name="Undecidable">0 where verdicts are only right or not.</param>
internal sealed record LengthClass(long Right, long Wrong, long Undecidable);

/// <summary>The models' greedy answers to one test problem.</summary>
/// <param name="Why">What the problem shows, in half a sentence.</param>
internal sealed record AnsweredProblem(
    string ProblemId, string Domain, string Problem, string ReferenceAnswer, string Why, IReadOnlyList<ShownAnswer> Answers);

/// <param name="Reasoning">May be empty.</param>
/// <param name="Answer">Null where the completion never came to one.</param>
internal sealed record ShownAnswer(string Model, bool IsRight, int Tokens, string Reasoning, string? Answer);
