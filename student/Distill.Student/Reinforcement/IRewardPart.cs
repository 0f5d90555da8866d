using Distill.Data.Verification;
using Distill.Generation;

namespace Distill.Student.Reinforcement;

/// <summary>One thing a completion is rewarded for. Total, immutable, thread-safe.</summary>
public interface IRewardPart
{
    /// <summary>Lower case, one word: what it is called in the measurements.</summary>
    string Name { get; }

    /// <returns>Not a number where nothing can be said; then the completion earns no reward at all.</returns>
    double Of(Verdict verdict, Completion completion);
}
