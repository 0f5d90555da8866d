namespace Distill.Tokenization.Normalization;

/// <summary>Changes text before it is cut into words. Immutable and thread-safe.</summary>
internal interface INormalizer
{
    string Normalize(string text);
}
