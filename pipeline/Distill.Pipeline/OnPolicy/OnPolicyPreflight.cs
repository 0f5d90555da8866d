using Distill.Data.Problems;
using Distill.Generation;
using Distill.Pipeline.Models;
using Distill.Student.Reinforcement;
using Distill.Verification;

namespace Distill.Pipeline.OnPolicy;

/// <summary>A model that answers problems and reads answers. Both stay the caller's.</summary>
internal sealed record PreflightModel(ITokenModel Model, RolloutScoring Scoring);

/// <summary>
/// Student and teacher answer the same problems, sampled the same way, and both read what the student wrote. One thread.
/// </summary>
/// <param name="collection">Asks and judges both, with one prompt.</param>
internal sealed class OnPolicyPreflight(RolloutCollection collection, double temperature, ulong seed)
{
    /// <param name="problems">At least one.</param>
    /// <exception cref="InvalidDataException">A model's logits are not finite.</exception>
    /// <exception cref="OperationCanceledException">Meanwhile.</exception>
    public OnPolicyMeasure Measure(
        PreflightModel student, PreflightModel teacher, IReadOnlyList<Problem> problems, CancellationToken cancellation)
    {
        var written = Ask(student.Model, problems, cancellation);
        var solved = Ask(teacher.Model, problems, cancellation).Select(rollout => rollout.Verdict == Verdict.Correct).ToList();
        var own = student.Scoring.Score(written, OnPolicyMeasure.Likely, cancellation);
        var read = teacher.Scoring.Score(written, OnPolicyMeasure.Named, cancellation);
        return OnPolicyMeasure.Of(
            [.. read.Select((rollout, index) => new PreflightText(rollout, own[index].Teacher!, solved[index]))], temperature, seed);
    }

    // Both draw with the same seeds, which makes their completions no more alike than their distributions are.
    private List<Rollout> Ask(ITokenModel model, IReadOnlyList<Problem> problems, CancellationToken cancellation) =>
    [
        .. collection.Collect(
            model, problems, samples: 1, temperature,
            (problem, sample) => SeedSequence.Derive(seed ^ 0x7072_6566, SeedSequence.Hash(problem.Id), (ulong)sample), cancellation)
            .Select(group => group[0]),
    ];
}
