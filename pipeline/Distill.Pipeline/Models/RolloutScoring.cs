using System.Runtime.ExceptionServices;
using Distill.Generation;
using Distill.Student.Distillation;
using Distill.Student.Reinforcement;
using Distill.Student.Training;

namespace Distill.Pipeline.Models;

/// <summary>
/// What a model thinks of completions. A group of completions is read behind one copy of their prompt, and groups are shared out among the
/// threads that the model is best run by. Owns sessions, not the model: dispose it before the model. One thread calls it.
/// </summary>
internal sealed class RolloutScoring : IDisposable
{
    // A copy of a prompt costs less than a thread that waits for the longest group.
    private const int PiecesPerThread = 4;

    private readonly TokenScorer[] scorers; // one a thread; on a card one

    /// <param name="threads">That read at the same time, each with a session of its own.</param>
    /// <param name="longest">Tokens of the longest prompt and completion; more than the model reads is cut to that.</param>
    /// <exception cref="ArgumentException">The cache would be larger than allowed.</exception>
    public RolloutScoring(ITokenModel model, int threads, int longest)
    {
        int length = Math.Min(longest, model.MaxLength);
        scorers = [.. Enumerable.Range(0, threads).Select(_ => new TokenScorer(model, length))];
    }

    /// <param name="top">Tokens to name at each place, as <see cref="Rollout.Teacher"/>; 0: none.</param>
    /// <returns>The rollouts, in their order, with the model's opinion in place of a reference's.</returns>
    /// <exception cref="InvalidDataException">The model's logits are not finite.</exception>
    /// <exception cref="OperationCanceledException">Between two completions.</exception>
    public IReadOnlyList<Rollout> Score(IReadOnlyList<Rollout> rollouts, int top, CancellationToken cancellation)
    {
        var scored = new Rollout[rollouts.Count];
        for (int i = 0; i < scored.Length; i++) scored[i] = rollouts[i];
        var pieces = PiecesOf(scored);
        int taken = -1;
        try
        {
            Parallel.For(0, scorers.Length, new ParallelOptions { MaxDegreeOfParallelism = scorers.Length }, worker =>
            {
                while (Interlocked.Increment(ref taken) is var next && next < pieces.Count)
                    Score(scorers[worker], scored, pieces[next], top, cancellation);
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
    }

    private static void Score(TokenScorer scorer, Rollout[] rollouts, int[] piece, int top, CancellationToken cancellation)
    {
        var prompt = rollouts[piece[0]].Tokens.Take(rollouts[piece[0]].FirstSupervised);
        var scores = scorer.Score(
            [.. prompt], [.. piece.Select(index => CompletionOf(rollouts[index]))], top, cancellation);
        foreach (var (place, index) in piece.Index())
        {
            rollouts[index] = rollouts[index] with
            {
                ReferenceLogProbabilities = [.. scores[place].LogProbabilities.Select(value => (float)value)],
                Teacher = scores[place].Top is not { } named ? null
                    : new TeacherAlternatives(named.Count, [.. named.Ids], [.. named.LogProbabilities]),
            };
        }
    }

    private static int[] CompletionOf(Rollout rollout) => [.. rollout.Tokens.Skip(rollout.FirstSupervised)];

    /// <returns>Places of completions with one prompt, the longest work first.</returns>
    private List<int[]> PiecesOf(Rollout[] rollouts)
    {
        int most = Math.Max(1, (int)Math.Ceiling((double)rollouts.Length / (PiecesPerThread * scorers.Length)));
        return [.. Enumerable.Range(0, rollouts.Length).GroupBy(index => (TrainingSequence)rollouts[index], PromptComparer.Instance)
            .SelectMany(group => group.Chunk(most))
            .OrderByDescending(piece => piece.Sum(index => rollouts[index].Tokens.Count))];
    }
}
