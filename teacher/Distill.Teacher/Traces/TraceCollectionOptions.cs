using Distill.Data.Traces;
using Distill.Generation;

namespace Distill.Teacher;

/// <summary>
/// What a trace collection generates. All of it decides the traces; how many run at once is the <see cref="BatchGenerator"/>'s.
/// </summary>
public sealed record TraceCollectionOptions
{
    /// <summary>The run's seed; each sample's own follows from it, the problem's id and the sample's number.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Name of the teacher, e.g. its folder's name.</summary>
    public required string Teacher { get; init; }

    public required string TeacherDigest { get; init; }

    /// <summary>Completions per problem. Default 4.</summary>
    public int Samples { get; init; } = 4;

    /// <summary>Which of the samples are asked; null, the default: all.</summary>
    internal SamplingPolicy? Policy { get; init; }

    /// <summary>What all parts together may take; default: no limit.</summary>
    internal SampleBudget Budget { get; init; } = SampleBudget.None;

    /// <summary>Whether a trace is right, where a policy goes by it.</summary>
    internal Func<Trace, bool>? IsRight { get; init; }

    /// <summary>Default: temperature 1, nothing removed.</summary>
    public SamplingOptions Sampling { get; init; } = new() { Temperature = 1 };

    /// <summary>Default 256.</summary>
    public int MaxNewTokens { get; init; } = 256;

    /// <summary>Problems whose traces are generated and committed together. Default 512.</summary>
    public int ProblemsPerPart { get; init; } = 512;

    /// <summary>Keep token ids and log-probabilities (for distillation from them); the files grow about fivefold. Default false.</summary>
    public bool KeepTokens { get; init; }

    /// <summary>
    /// Alternatives kept beside each token, with <see cref="KeepTokens"/>; more than the vocabulary has count as all of it. Default 0.
    /// </summary>
    public int TopLogProbabilities { get; init; }

    /// <summary>Stamps <c>created_at</c>; null, the default, leaves it out, so that files do not depend on the clock.</summary>
    public TimeProvider? Clock { get; init; }
}

/// <summary>The traces of one chunk of problems, in order of problem and sample.</summary>
public sealed record TracePart(int Index, IReadOnlyList<Trace> Traces);

/// <summary>How far a collection is: counts of this run (<see cref="Traces"/> includes parts that were finished before).</summary>
public readonly record struct TraceProgress(int Traces, int TotalTraces, long TokensGenerated, TimeSpan Elapsed)
{
    /// <summary>Completion tokens per second in this run.</summary>
    public double TokensPerSecond => Elapsed > TimeSpan.Zero ? TokensGenerated / Elapsed.TotalSeconds : 0;
}
