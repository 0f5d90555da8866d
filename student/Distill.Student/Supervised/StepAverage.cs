namespace Distill.Student.Supervised;

/// <summary>What the tokens' losses of a supervised step are divided by.</summary>
public enum TokenAverage
{
    /// <summary>By the learned tokens of the step: every token counts the same.</summary>
    Token,

    /// <summary>By the learned tokens of their example, then by the examples: long examples count no more than short ones.</summary>
    Sequence,
}

/// <summary>The divisors of one optimiser step, of which a micro-batch is a part: splitting a step changes nothing. Immutable.</summary>
/// <param name="Tokens">Learned tokens of the step.</param>
/// <param name="Sequences">Examples of the step.</param>
public sealed record StepAverage(TokenAverage Kind, long Tokens, int Sequences)
{
    /// <param name="length">Learned tokens of the example.</param>
    public double For(int length) => Kind == TokenAverage.Token ? Tokens : (double)length * Sequences;
}
