namespace Distill.Tokenization.Templates;

/// <summary>What a template wrote.</summary>
/// <param name="Foreign">Stretches that came from messages: sorted, disjoint.</param>
internal sealed record RenderedText(string Value, IReadOnlyList<TextRange> Foreign);
