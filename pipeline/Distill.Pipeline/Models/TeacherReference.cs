using System.Runtime.ExceptionServices;
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
internal sealed class TeacherReference : IReferencePolicy, IDisposable
{
    private readonly ServedModel engine;
    private readonly TokenScorer[] scorers; // one a thread; on a card one

    /// <param name="sample">A problem that both must read as the same tokens.</param>
    /// <param name="longest">Tokens of the longest rollout.</param>
    /// <param name="device">Where it scores.</param>
    /// <exception cref="InvalidDataException">The teacher reads other tokens than the student, or its graph cannot score.</exception>
    /// <exception cref="DeviceUnavailableException">The device cannot be had, or cannot run the teacher.</exception>
    public TeacherReference(
        string folder, ChatEncoder student, int vocabularySize, Problem sample, int longest, ComputeDevice device = default)
    {
        engine = ServedModel.Open(folder, slots: 1, style: student.Style, device: device);
        int length = Math.Min(longest, engine.Model.MaxLength);
        try
        {
            RequireSameTokens(student, vocabularySize, sample);
            if (!TokenScorer.CanScore(engine.Model, length))
            {
                throw new InvalidDataException(
                    "The teacher's graph gives the logits of the last position only, so it cannot say what it thinks of a "
                    + "completion. Export it with all logits, or leave rl.teacher_weight out.");
            }
            scorers = [.. Enumerable.Range(0, engine.Workers).Select(_ => new TokenScorer(engine.Model, length))];
        }
        catch
        {
            engine.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidDataException">The teacher's logits are not finite.</exception>
    public IReadOnlyList<Rollout> Score(IReadOnlyList<Rollout> rollouts, CancellationToken cancellation)
    {
        var scored = new Rollout[rollouts.Count];
        try
        {
            Parallel.For(0, scorers.Length, new ParallelOptions { MaxDegreeOfParallelism = scorers.Length }, worker =>
            {
                for (int i = worker; i < scored.Length; i += scorers.Length) scored[i] = Score(scorers[worker], rollouts[i], cancellation);
            });
        }
        catch (AggregateException several) // a cancellation must arrive as one, not as a fault of several threads
        {
            var cause = several.InnerExceptions.FirstOrDefault(fault => fault is not OperationCanceledException);
            ExceptionDispatchInfo.Throw(cause ?? several.InnerExceptions[0]);
        }

        return scored;
    }

    public void Dispose()
    {
        foreach (var scorer in scorers) scorer.Dispose();
        engine.Dispose();
    }

    private static Rollout Score(TokenScorer scorer, Rollout rollout, CancellationToken cancellation)
    {
        var scores = scorer.Score([.. rollout.Tokens], cancellation: cancellation).LogProbabilities; // entry i speaks of token i + 1
        return rollout with { ReferenceLogProbabilities = [.. scores.Skip(rollout.FirstSupervised - 1).Select(value => (float)value)] };
    }

    private void RequireSameTokens(ChatEncoder student, int vocabularySize, Problem sample)
    {
        var messages = ProblemPrompt.Messages(sample);
        if (engine.Encoder.Tokenizer.Fingerprint != student.Tokenizer.Fingerprint || engine.Model.VocabularySize != vocabularySize
            || !engine.Encoder.EncodePrompt(messages).SequenceEqual(student.EncodePrompt(messages))
            || engine.Encoder.EndToken != student.EndToken)
        {
            throw new InvalidDataException(
                "rl.teacher_weight needs one tokenizer, vocabulary and chat template for teacher and student, and these differ. "
                + "Leave it out, or take a teacher or a student with the other's tokenizer.");
        }
    }
}
