namespace Distill.Generation;

/// <summary>How much runs at once; none of it changes what is generated.</summary>
public sealed record GeneratorOptions
{
    /// <summary>Rows decoded together, over all workers. Default 64.</summary>
    public int Slots { get; init; } = 64;

    /// <summary>
    /// Threads that each decode their share of the slots in a session of their own. More than 1 pays for small models whose
    /// backend runs single-threaded; large ones are better served by a threaded backend. Default 1.
    /// </summary>
    public int Workers { get; init; } = 1;
}
