namespace Distill.Cli.Scoring;

/// <summary>A sequence to score.</summary>
/// <param name="Line">Where it stands in the input, from 1.</param>
/// <param name="Tokens">All of it.</param>
/// <param name="First">The first token that counts; those before it are only read. At least 1: the first token of all has no probability.</param>
internal sealed record ScoreItem(int Line, int[] Tokens, int First);
