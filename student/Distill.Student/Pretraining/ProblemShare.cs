using Distill.Data.Problems;

namespace Distill.Student.Pretraining;

/// <summary>A family at one level and its share of a mixture (relative to the other shares).</summary>
public sealed record ProblemShare(IProblemFamily Family, int Level, double Weight);
