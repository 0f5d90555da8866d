using Distill.Data.Problems;
using Distill.Verification;
using Distill.Generation;
using Distill.Teacher;
using Distill.Student.Distillation;
using Distill.Student.Model;
using Distill.Student.Training;
using Distill.Tokenization;

namespace Distill.Student.Reinforcement;

/// <summary>A completion of the student during reinforcement, with what it earned.</summary>
/// <param name="Tokens">Prompt and completion.</param>
/// <param name="FirstSupervised">Length of the prompt.</param>
/// <param name="Completion">As sampled; its log-probabilities are the behaviour policy's.</param>
/// <param name="Reward">Sum of <see cref="Earned"/>; not a number where a part of it is none.</param>
internal sealed record Rollout(
    IReadOnlyList<int> Tokens, int FirstSupervised, Problem Problem, Completion Completion, Verdict Verdict, double Reward)
    : TrainingSequence(Tokens, FirstSupervised), ITeacherLabels
{
    /// <summary>How much better than its group, in deviations; filled by <see cref="GroupAdvantage"/>.</summary>
    public float Advantage { get; init; }

    /// <summary>What each part of the <see cref="RewardRule"/> contributed.</summary>
    public IReadOnlyList<double> Earned { get; init; } = [];

    /// <summary>[completion]: log-probabilities under the reference model; empty where the loss has no use for them.</summary>
    public IReadOnlyList<float> ReferenceLogProbabilities { get; init; } = [];

    /// <summary>What a teacher thinks of every place of the completion; null where the loss has no use for it.</summary>
    public TeacherAlternatives? Teacher { get; init; }

    /// <summary>
    /// [completion]: entropies of the distributions the tokens were drawn from, in nats; empty where the loss has no use for them.
    /// </summary>
    public IReadOnlyList<float> Entropies { get; init; } = [];

    public bool Truncated => Completion.StopReason == StopReason.Length;

    int ITeacherLabels.Top => Scored.Top;

    private TeacherAlternatives Scored => Teacher ?? throw new InvalidOperationException("No teacher has read this rollout.");

    ReadOnlySpan<int> ITeacherLabels.IdsAt(int position) => Scored.IdsAt(position);

    ReadOnlySpan<float> ITeacherLabels.LogProbabilitiesAt(int position) => Scored.LogProbabilitiesAt(position);
}

/// <summary>
/// Makes the student's current weights available to the generation engine. One thread at a time. The creator disposes it, after what it
/// served.
/// </summary>
internal interface IPolicyServer : IDisposable
{
    /// <summary>
    /// A model with these weights as they are now. The caller disposes it before it changes the parameters, which some servers read where
    /// they are, and before it asks for the next.
    /// </summary>
    Generation.ITokenModel Serve(FlatParameters parameters);
}

/// <summary>Whether a completion solves its problem. Total and thread-safe.</summary>
internal delegate Verdict CompletionJudge(Problem problem, Completion completion);

/// <summary>A problem and how it is completed.</summary>
/// <param name="Temperature">0: greedily.</param>
/// <param name="Seeds">One for each completion.</param>
internal sealed record AskedProblem(Problem Problem, double Temperature, IReadOnlyList<ulong> Seeds);

/// <summary>Samples completions of the current policy and judges them. One thread.</summary>
/// <param name="rewards">What completions earn; null rewards the verdict alone.</param>
/// <param name="prepare">Sees all completions of a round before any is judged; null: nobody does.</param>
internal sealed class RolloutCollection(
    ChatEncoder encoder, CompletionJudge judge, GroupRelativeOptions options, RewardRule? rewards = null,
    Action<IEnumerable<(Problem Problem, Completion Completion)>>? prepare = null)
{
    public RewardRule Rewards { get; } = rewards ?? RewardRule.VerdictOnly;

    /// <param name="seedOf">(problem, sample) → seed.</param>
    /// <returns>One group per problem, in their order.</returns>
    public IReadOnlyList<IReadOnlyList<Rollout>> Collect(
        ITokenModel policy, IReadOnlyList<Problem> problems, int samples, double temperature, Func<Problem, int, ulong> seedOf,
        CancellationToken cancellation) => Collect(
            policy,
            [.. problems.Select(problem => new AskedProblem(
                problem, temperature, [.. Enumerable.Range(0, samples).Select(sample => seedOf(problem, sample))]))],
            cancellation);

    /// <returns>One group per question, in their order; all are completed in one batch.</returns>
    public IReadOnlyList<IReadOnlyList<Rollout>> Collect(
        ITokenModel policy, IReadOnlyList<AskedProblem> asked, CancellationToken cancellation)
    {
        var prompts = asked.Select(one => encoder.EncodePrompt(ProblemPrompt.Messages(one.Problem))).ToList();
        var requests = asked.Select((one, index) => new GenerationRequest
        {
            Prompt = prompts[index],
            MaxNewTokens = options.MaxTokens,
            Sampling = new SamplingOptions { Temperature = one.Temperature },
            StopTokens = [.. encoder.EndTokens],
            Seeds = one.Seeds,
        }).ToList();
        var completions = new BatchGenerator(policy, slots: options.Slots, workers: options.Training.Threads)
            .Complete(requests, cancellation: cancellation);
        prepare?.Invoke(asked.SelectMany((one, index) => completions[index].Select(completion => (one.Problem, completion))));
        return [.. asked.Select((one, index) => (IReadOnlyList<Rollout>)
            [.. completions[index].Select(completion => Judge(one.Problem, prompts[index], completion))])];
    }

    private Rollout Judge(Problem problem, int[] prompt, Completion completion)
    {
        var verdict = judge(problem, completion);
        double[] earned = Rewards.Earned(verdict, completion);
        return new Rollout(
            [.. prompt, .. completion.Tokens], prompt.Length, problem, completion, verdict, earned.Sum()) { Earned = earned };
    }
}
