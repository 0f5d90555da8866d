namespace Distill.Tokenization;

/// <summary>The added tokens between which a reply reasons.</summary>
public static class ThinkMarks
{
    public const string Open = "<think>";
    public const string Close = "</think>";
}
