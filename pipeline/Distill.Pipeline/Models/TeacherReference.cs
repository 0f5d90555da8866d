using Distill.Data.Problems;
using Distill.Generation;
using Distill.Student.Reinforcement;
using Distill.Teacher;
using Distill.Tokenization;

namespace Distill.Pipeline.Models;

/// <summary>
/// A teacher's opinion of the student's own completions. That works only where both have one tokenizer and one chat template.
/// Dispose it.
/// </summary>
internal sealed class TeacherReference : ITeacherPolicy, IDisposable
{
    private readonly ServedModel engine;
    private readonly RolloutScoring scoring;

    /// <param name="sample">A problem that both must read as the same tokens.</param>
    /// <param name="longest">Tokens of the longest rollout.</param>
    /// <param name="device">Where it scores.</param>
    /// <exception cref="InvalidDataException">The teacher reads other tokens than the student, or its graph cannot score.</exception>
    /// <exception cref="DeviceUnavailableException">The device cannot be had, or cannot run the teacher.</exception>
    public TeacherReference(
        string folder, ChatEncoder student, int vocabularySize, Problem sample, int longest, ComputeDevice device = default)
    {
        engine = ServedModel.Open(folder, slots: 1, style: student.Style, device: device);
        try
        {
            if (FaultOf(engine, student, vocabularySize, sample, longest) is { } fault) throw new InvalidDataException(fault);
            scoring = new RolloutScoring(engine.Model, engine.Workers, longest);
        }
        catch
        {
            engine.Dispose();
            throw;
        }
    }

    /// <returns>Why a teacher cannot tell what it thinks of a student's completions, with the remedy; null: it can.</returns>
    public static string? FaultOf(ServedModel teacher, ChatEncoder student, int vocabularySize, Problem sample, int longest)
    {
        var messages = ProblemPrompt.Messages(sample);
        if (teacher.Encoder.Tokenizer.Fingerprint != student.Tokenizer.Fingerprint || teacher.Model.VocabularySize != vocabularySize
            || !teacher.Encoder.EncodePrompt(messages).SequenceEqual(student.EncodePrompt(messages))
            || teacher.Encoder.EndToken != student.EndToken)
        {
            return "rl.teacher_weight needs one tokenizer, vocabulary and chat template for teacher and student, and these differ. "
                + "Leave it out, or take a teacher or a student with the other's tokenizer.";
        }

        return TokenScorer.CanScore(teacher.Model, Math.Min(longest, teacher.Model.MaxLength)) ? null
            : "The teacher's graph gives the logits of the last position only, so it cannot say what it thinks of a "
            + "completion. Export it with all logits, or leave rl.teacher_weight out.";
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidDataException">The teacher's logits are not finite.</exception>
    public IReadOnlyList<Rollout> Score(IReadOnlyList<Rollout> rollouts, CancellationToken cancellation) =>
        Score(rollouts, top: 0, cancellation);

    /// <inheritdoc/>
    /// <exception cref="InvalidDataException">The teacher's logits are not finite.</exception>
    public IReadOnlyList<Rollout> Score(IReadOnlyList<Rollout> rollouts, int top, CancellationToken cancellation) =>
        scoring.Score(rollouts, top, cancellation);

    public void Dispose()
    {
        scoring.Dispose();
        engine.Dispose();
    }
}
