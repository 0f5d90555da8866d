using Distill.Data.Problems;
using Distill.Data.Similarity;
using Distill.Data.Traces;
using Distill.Storage;

namespace Distill.Data.Curation;

/// <summary>What rules may know beside the traces. Immutable and thread-safe.</summary>
internal sealed record CurationEvidence
{
    public static CurationEvidence None { get; } = new();

    /// <summary>Those that grade.</summary>
    public ProblemVerifiers Verifiers { get; init; } = ProblemVerifiers.Standard;

    /// <summary>Runs of words of the problems that are tested on; null where none are looked at.</summary>
    public GramIndex? TestProblems { get; init; }

    /// <summary>What the student thinks of the traces; null where it was not asked.</summary>
    public LearnabilityScores? Learnability { get; init; }
}

/// <summary>Mean log-probability of one trace's completion under a model that has not learned from it.</summary>
/// <param name="MeanLogProbability">Nats per token; 0 is certainty.</param>
/// <param name="Tokens">Over which the mean is.</param>
internal readonly record struct LearnabilityScore(string ProblemId, int SampleIndex, float MeanLogProbability, int Tokens);

/// <summary>Scores by problem and sample: 30 bytes a trace. Immutable and thread-safe.</summary>
internal sealed class LearnabilityScores
{
    private readonly Dictionary<(string Problem, int Sample), float> means = [];

    /// <exception cref="InvalidDataException">Two scores are of one trace.</exception>
    public LearnabilityScores(IEnumerable<LearnabilityScore> scores)
    {
        var ids = new Dictionary<string, string>(StringComparer.Ordinal); // one string per problem, however many samples it has
        foreach (var score in scores)
        {
            if (!ids.TryGetValue(score.ProblemId, out string? id)) ids[score.ProblemId] = id = score.ProblemId;
            if (!means.TryAdd((id, score.SampleIndex), score.MeanLogProbability))
                throw new InvalidDataException($"Sample {score.SampleIndex} of problem {Printable.Quote(id)} has two scores.");
        }
    }

    /// <returns>Null for a trace that was not scored.</returns>
    public float? Of(Trace trace) => means.TryGetValue((trace.Problem.Id, trace.SampleIndex), out float mean) ? mean : null;
}
