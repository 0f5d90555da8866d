using Distill.Data.Problems;
using Distill.Data.Verification;
using Distill.Generation;
using Distill.Tokenization;

namespace Distill.Student.Reinforcement;

/// <summary>Whether a completion solves its problem. Total and thread-safe.</summary>
public delegate Verdict CompletionJudge(Problem problem, Completion completion);

/// <summary>Samples completions of the current policy and judges them. One thread.</summary>
/// <param name="rewards">What completions earn; null rewards the verdict alone.</param>
public sealed class RolloutCollection(ChatEncoder encoder, CompletionJudge judge, GroupRelativeOptions options, RewardRule? rewards = null)
{
    public RewardRule Rewards { get; } = rewards ?? RewardRule.VerdictOnly;

    /// <param name="seedOf">(problem, sample) → seed.</param>
    /// <returns>One group per problem, in their order.</returns>
    public IReadOnlyList<IReadOnlyList<Rollout>> Collect(
        ITokenModel policy, IReadOnlyList<Problem> problems, int samples, double temperature, Func<Problem, int, ulong> seedOf, CancellationToken cancellation)
    {
        var sampling = new SamplingOptions { Temperature = temperature };
        var prompts = problems.Select(problem => encoder.EncodePrompt([ChatMessage.User(problem.Text)])).ToList();
        var requests = problems.Select((problem, index) => new GenerationRequest
        {
            Prompt = prompts[index],
            MaxNewTokens = options.MaxTokens,
            Sampling = sampling,
            StopTokens = [encoder.EndToken],
            Seeds = [.. Enumerable.Range(0, samples).Select(sample => seedOf(problem, sample))],
        }).ToList();
        var completions = new BatchGenerator(policy, slots: options.Slots, workers: options.Training.Threads).Complete(requests, cancellation: cancellation);
        return [.. problems.Select((problem, index) => (IReadOnlyList<Rollout>)[.. completions[index].Select(completion => Judge(problem, prompts[index], completion))])];
    }

    private Rollout Judge(Problem problem, int[] prompt, Completion completion)
    {
        var verdict = judge(problem, completion);
        double[] earned = Rewards.Earned(verdict, completion);
        return new Rollout([.. prompt, .. completion.Tokens], prompt.Length, problem, completion, verdict, earned.Sum()) { Earned = earned };
    }
}
