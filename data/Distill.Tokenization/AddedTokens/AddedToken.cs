namespace Distill.Tokenization.AddedTokens;

/// <summary>A token that is looked for in the text itself, before normaliser, pre-tokenizer and model see it.</summary>
/// <param name="Special">A control token: left out of decoded text on request.</param>
/// <param name="SingleWord">Found only where no word character touches it.</param>
/// <param name="LeftStrip">Swallows the white space before it.</param>
/// <param name="RightStrip">Swallows the white space after it.</param>
/// <param name="Normalized">Looked for in the normalised text instead of the text as given.</param>
internal sealed record AddedToken(int Id, string Content, bool Special, bool SingleWord, bool LeftStrip, bool RightStrip, bool Normalized);
