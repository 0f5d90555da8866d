namespace Distill.Tokenization.AddedTokens;

/// <summary>Characters [Start, End) of a text: an added token, or ordinary text when there is none.</summary>
internal readonly record struct TokenSpan(int Start, int End, AddedToken? Token);
