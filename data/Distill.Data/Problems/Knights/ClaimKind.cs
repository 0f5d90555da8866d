namespace Distill.Data.Problems.Knights;

/// <summary>What a statement says about one person or about two.</summary>
internal enum ClaimKind
{
    Knight,
    Knave,
    BothKnights,
    BothKnaves,
    Same,
    Different,
}
