namespace Distill.Data.Problems;

/// <summary>A problem put into words: the question, the steps in the trace language, the answer.</summary>
internal sealed record Wording(string Text, string Steps, string Answer);
