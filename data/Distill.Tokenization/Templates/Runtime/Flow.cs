namespace Distill.Tokenization.Templates.Runtime;

/// <summary>How a body ended.</summary>
internal enum Flow
{
    Next,
    Break,
    Continue,
}
