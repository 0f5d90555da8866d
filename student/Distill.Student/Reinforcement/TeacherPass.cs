using Distill.Libtorch;
using Distill.Student.Training;
using static TorchSharp.torch;

namespace Distill.Student.Reinforcement;

/// <summary>
/// The gradient of a divergence from the teacher's distributions over a step's rollouts. The teacher is asked for as many rollouts at a
/// time as its numbers find room for, and what it told of them is let go before the next: [rollouts, tokens, vocabulary] never exists.
/// Owns no model: dispose it before them. One thread.
/// </summary>
/// <param name="mostValues">Probabilities that the teacher may have told at once; at least one rollout's.</param>
internal sealed class TeacherPass(
    IGradientModel model, ITeacherPolicy teacher, GroupRelativeOptions options, long mostValues = TeacherPass.DefaultValues) : IDisposable
{
    /// <summary>64 MiB, and as much for the tokens' ids.</summary>
    public const long DefaultValues = 16 << 20;

    private readonly int vocabulary = model.Parameters.Architecture.VocabularySize;
    private Tensor? total; // [trained values], where a step takes more than one part

    /// <summary>Leaves the whole step's gradient in the model's, as a pass of the model does.</summary>
    /// <param name="learned">At least one.</param>
    /// <param name="probe">Is told of every token.</param>
    /// <exception cref="OperationCanceledException">While the teacher reads.</exception>
    public PassResult Differentiate(IReadOnlyList<Rollout> learned, MismatchProbe probe, CancellationToken cancellation)
    {
        long tokens = learned.Sum(rollout => (long)rollout.SupervisedCount);
        var loss = new OnPolicyDivergenceLoss(
            OnPolicyDivergenceLoss.DivergenceOf(options, vocabulary), options.TeacherWeight, tokens, probe);
        var parts = PartsOf(learned);
        if (parts.Count == 1) return model.Differentiate(Read(learned, cancellation), loss);
        using var scope = NewDisposeScope();
        if (total is null) total = zeros_like(model.Gradient).DetachFromDisposeScope();
        else total.zero_();
        var whole = new PassResult(0, 0, 0);
        foreach (var part in parts)
        {
            var pass = model.Differentiate(Read(part, cancellation), loss);
            total.add_(model.Gradient, KeptScalar.One);
            double share = (double)part.Sum(rollout => (long)rollout.SupervisedCount) / tokens;
            whole = new PassResult(
                whole.Loss + pass.Loss, whole.MeanLogProbability + (share * pass.MeanLogProbability),
                whole.MeanEntropy + (share * pass.MeanEntropy))
            { Accuracy = whole.Accuracy + (share * pass.Accuracy) };
        }

        using (no_grad()) model.Gradient.copy_(total);
        return whole;
    }

    public void Dispose() => total?.Dispose();

    private IReadOnlyList<Rollout> Read(IReadOnlyList<Rollout> part, CancellationToken cancellation) =>
        teacher.Score(part, options.TeacherTop, cancellation);

    // Rollouts stay in their order: those of one prompt lie together, and it is read once.
    private List<IReadOnlyList<Rollout>> PartsOf(IReadOnlyList<Rollout> learned)
    {
        var (parts, part, values) = (new List<IReadOnlyList<Rollout>>(), new List<Rollout>(), 0L);
        foreach (var rollout in learned)
        {
            long own = (long)rollout.SupervisedCount * Math.Min(options.TeacherTop, vocabulary);
            if (part.Count > 0 && values + own > mostValues)
            {
                parts.Add(part);
                (part, values) = ([], 0);
            }

            part.Add(rollout);
            values += own;
        }

        parts.Add(part);
        return parts;
    }
}
