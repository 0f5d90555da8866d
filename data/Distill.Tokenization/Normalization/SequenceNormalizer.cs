namespace Distill.Tokenization.Normalization;

/// <summary>Normalisers one after the other.</summary>
internal sealed class SequenceNormalizer(IReadOnlyList<INormalizer> steps) : INormalizer
{
    public string Normalize(string text) => steps.Aggregate(text, (current, step) => step.Normalize(current));
}
