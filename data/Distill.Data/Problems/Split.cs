using Distill.Storage;

namespace Distill.Data.Problems;

/// <summary>Which part of a problem source a problem belongs to. A problem's signature decides, so the parts cannot overlap.</summary>
public enum Split
{
    Train,
    Validation,
    Test,
}

/// <summary>
/// A signature's split: its stable hash modulo 100, 0–79 train, 80–89 validation, 90–99 test. Because nothing but the signature
/// decides, no two splits of any two runs can share a question.
/// </summary>
public static class SplitRule
{
    public static Split Of(string signature) => (StableHash.Mix(StableHash.Of(signature)) % 100) switch
    {
        < 80 => Split.Train,
        < 90 => Split.Validation,
        _ => Split.Test,
    };

    /// <summary>The word used in ids and files.</summary>
    public static string Word(Split split) => split switch
    {
        Split.Train => "train",
        Split.Validation => "validation",
        Split.Test => "test",
        _ => throw new ArgumentOutOfRangeException(nameof(split), split, "Unknown split."),
    };

    /// <returns>False when <paramref name="word"/> names no split.</returns>
    public static bool TryParse(string? word, out Split split)
    {
        foreach (var candidate in Enum.GetValues<Split>())
        {
            split = candidate;
            if (Word(candidate) == word)
                return true;
        }

        split = default;
        return false;
    }

    /// <exception cref="InvalidDataException"><paramref name="word"/> names no split; the message says which there are.</exception>
    internal static Split Parse(string word) => TryParse(word, out var split)
        ? split
        : throw new InvalidDataException($"the split {Printable.Quote(word)} is none of train, validation, test");
}
