using Distill.Data.Traces;

namespace Distill.Teacher;

/// <summary>The traces of one chunk of problems, in order of problem and sample.</summary>
public sealed record TracePart(int Index, IReadOnlyList<Trace> Traces);
