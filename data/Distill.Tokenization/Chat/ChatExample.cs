namespace Distill.Tokenization;

/// <summary>A chat with the wanted reply, for training: the first <paramref name="PromptLength"/> tokens carry no loss.</summary>
/// <param name="Tokens">Prompt, reply and end token.</param>
public sealed record ChatExample(int[] Tokens, int PromptLength);
