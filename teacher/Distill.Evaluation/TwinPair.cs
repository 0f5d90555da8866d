using Distill.Data.Problems;

namespace Distill.Evaluation;

/// <summary>A twin and its original, by index.</summary>
internal readonly record struct TwinPair(TwinKind Kind, int Original, int Twin);
