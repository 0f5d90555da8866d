namespace Distill.Tokenization.PreTokenizers;

/// <summary>What becomes of the matches at which a text is cut.</summary>
internal enum SplitBehavior
{
    Removed,
    Isolated,
    MergedWithPrevious,
    MergedWithNext,
    Contiguous,
}
