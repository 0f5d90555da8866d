namespace Distill.Data.Problems;

/// <summary>A family at one level and its share in a set of problems.</summary>
/// <param name="Weight">Above 0; shares are proportional to it.</param>
public sealed record MixturePart(string Family, int Level, double Weight = 1);
