namespace Distill.Tokenization.Templates;

/// <summary>What a template wrote.</summary>
/// <param name="Foreign">Stretches that came from messages: sorted, disjoint.</param>
/// <param name="Generated">Stretches that the template marks as the assistant's.</param>
internal sealed record RenderedText(string Value, IReadOnlyList<TextRange> Foreign, IReadOnlyList<TextRange> Generated);
