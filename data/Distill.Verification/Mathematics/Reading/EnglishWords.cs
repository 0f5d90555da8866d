namespace Distill.Verification.Mathematics.Reading;

/// <summary>Words that could be taken for products of two variables.</summary>
internal static class EnglishWords
{
    public static readonly HashSet<string> OfTwoLetters =
    [
        "no", "on", "in", "is", "it", "if", "or", "of", "at", "as", "an", "am", "be", "by", "do", "go", "he", "hi", "me", "my", "ok", "so",
        "to", "up", "us", "we", "oh", "ox", "tv", "uk",
    ];

    /// <summary>Others that may stand beside a number and are not factors of it.</summary>
    public static readonly HashSet<string> AreNoProducts =
    [
        "not", "the", "and", "nor", "non", "but", "are", "was", "for", "than", "from", "with", "then", "else", "true", "any", "all", "Not",
        "No",
    ];
}
