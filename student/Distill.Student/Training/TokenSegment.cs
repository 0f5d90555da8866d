namespace Distill.Student.Training;

/// <summary>Neighbouring tokens of a <see cref="TokenBatch"/> that see one another causally, and before themselves a prompt.</summary>
/// <param name="Start">The first token's place.</param>
/// <param name="Length">Tokens.</param>
/// <param name="PromptLength">Tokens of the prompt; 0 where the segment begins its sequence.</param>
/// <param name="PromptStart">Its first token's place; without meaning where there is no prompt.</param>
public readonly record struct TokenSegment(int Start, int Length, int PromptLength, int PromptStart)
{
    /// <summary>Keys that the last token sees.</summary>
    public int Keys => PromptLength + Length;
}
