namespace Distill.Student.Reinforcement;

/// <summary>Which bound of the probability ratio a token lies beyond.</summary>
public enum ClippedSide
{
    None,

    /// <summary>A bad token that has become much less likely.</summary>
    Low,

    /// <summary>A good token that has become much likelier.</summary>
    High,
}
