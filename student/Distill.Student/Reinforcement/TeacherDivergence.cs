using Distill.Generation;
using Distill.Student.Distillation;
using Distill.Student.Training;
using static TorchSharp.torch;

namespace Distill.Student.Reinforcement;

/// <summary>How far a student's distributions lie from its teacher's at the places of its own completions.</summary>
public enum TeacherDivergence
{
    /// <summary>Reverse KL, estimated by the one token that was sampled: see <see cref="OnPolicyDistillationLoss"/>.</summary>
    Token,

    /// <summary>KL(student‖teacher) over the vocabulary: keeps to what the teacher does (Gu et al. 2024, arXiv 2306.08543).</summary>
    Reverse,

    /// <summary>KL(teacher‖student) over the vocabulary: covers all that the teacher does.</summary>
    Forward,

    /// <summary>Generalised Jensen–Shannon divergence over the vocabulary (GKD, Agarwal et al. 2024, arXiv 2306.13649).</summary>
    JensenShannon,
}

/// <summary>
/// c · divergence / N at every place of the student's own completions, the prefix taken as given: what a token does to later ones is not
/// counted, as in GKD (Agarwal et al. 2024, arXiv 2306.13649) and TRL's <c>DistillationTrainer</c>. Every sequence must be a
/// <see cref="Rollout"/> that a teacher has read. Thread-safe as far as the probe is.
/// </summary>
/// <param name="coefficient">c.</param>
/// <param name="tokens">N: learned tokens of the whole optimiser step.</param>
/// <param name="probe">Is told of every token's log-probability.</param>
internal sealed class OnPolicyDivergenceLoss(TopTokenDivergence divergence, double coefficient, long tokens, MismatchProbe probe)
    : IDistributionLoss
{
    /// <param name="options">Any divergence but the token's.</param>
    /// <param name="vocabulary">
    /// Where the teacher tells of all its tokens there is no tail. Elsewhere one more class holds what it left out, of teacher and student,
    /// so that no probability escapes the divergence.
    /// </param>
    public static TopTokenDivergence DivergenceOf(GroupRelativeOptions options, int vocabulary) => new(
        options.TeacherDivergence switch
        {
            TeacherDivergence.Reverse => new ReverseDivergence(),
            TeacherDivergence.Forward => new ForwardDivergence(),
            TeacherDivergence.JensenShannon => new JensenShannonDivergence(options.TeacherBeta),
            _ => throw new InvalidOperationException($"{options.TeacherDivergence} is no divergence of distributions."),
        },
        options.TeacherTop >= vocabulary ? TokenSupport.TeacherRenormalised : TokenSupport.TailBucket);

    public double Evaluate(TrainingSequence sequence, int position, ReadOnlySpan<float> logits, Span<float> gradient)
    {
        var rollout = (Rollout)sequence;
        ITeacherLabels labels = rollout;
        int token = rollout.Tokens[rollout.FirstSupervised + position];
        probe.Add(rollout, position, logits[token] - LogSoftmax.Normalizer(logits));
        return divergence.Evaluate(
            labels.IdsAt(position), labels.LogProbabilitiesAt(position), logits, gradient, coefficient / tokens);
    }

    /// <summary>Waits for the device once a chunk: the probe's numbers are the host's.</summary>
    public ChunkLoss Evaluate(LogitsChunk chunk)
    {
        using var scope = NewDisposeScope();
        var logProbabilities = chunk.Logits.gather(1, chunk.Targets.unsqueeze(1)).squeeze(1)
            .sub_(chunk.Logits.logsumexp(-1L)).cpu();
        foreach (var (row, value) in logProbabilities.data<float>().Index())
            probe.Add((Rollout)chunk.Rows[row].Sequence, chunk.Rows[row].Position, value);
        var (loss, gradient) = TeacherChunk.Evaluate(divergence, chunk, coefficient / tokens);
        return new ChunkLoss(loss.MoveToOuterDisposeScope(), gradient.MoveToOuterDisposeScope());
    }
}
