using Distill.Data.Problems;
using Distill.Generation;
using Distill.Teacher;
using Distill.Tokenization;

namespace Distill.Evaluation.Strategies;

/// <summary>
/// The model is shown its own answer and asked to check and correct it, several times (Madaan et al., arXiv 2303.17651; here one message
/// asks for feedback and revision at once). The last readable answer counts.
/// </summary>
internal sealed class SelfRefinement : IStrategy
{
    public string Name => "refine";

    public string Description => "the model's own answer shown to it again, to be checked and corrected";

    public IReadOnlyList<string> Levels(StrategyOptions options) =>
        [.. Enumerable.Range(0, options.Budget + 1)
            .Select(revisions => revisions switch { 0 => "draft", 1 => "1 revision", _ => $"{revisions} revisions" })];

    public IReadOnlyList<StrategyAnswer[]> Solve(Reasoner reasoner, IReadOnlyList<Problem> problems, StrategyOptions options)
    {
        StrategyAnswer[][] answers = [.. problems.Select(_ => new StrategyAnswer[options.Budget + 1])];
        for (int level = 0; level <= options.Budget; level++)
        {
            var asked = new List<int>();
            var requests = new List<GenerationRequest>();
            for (int i = 0; i < problems.Count; i++)
            {
                StrategyAnswer before = level == 0 ? default : answers[i][level - 1];
                answers[i][level] = before;
                int[] prompt = reasoner.Encoder.EncodePrompt(Conversation(problems[i], level == 0 ? null : before.Answer ?? "", options));
                if (prompt.Length >= reasoner.MaxLength) continue; // no room to revise: the answer stays
                asked.Add(i);
                requests.Add(
                    reasoner.Request(prompt, options.MaxNewTokens, options.Sampling, [Reasoner.SeedOf(problems[i], level, options)]));
            }

            var completions = reasoner.Complete(requests);
            for (int j = 0; j < asked.Count; j++)
            {
                ref StrategyAnswer answer = ref answers[asked[j]][level];
                answer = new StrategyAnswer(
                    reasoner.AnswerOf(completions[j][0]) ?? answer.Answer, answer.Tokens + completions[j][0].Tokens.Count);
            }
        }

        return answers;
    }

    private static ChatMessage[] Conversation(Problem problem, string? answer, StrategyOptions options) => answer is null
        ? [.. ProblemPrompt.Messages(problem)]
        : [.. ProblemPrompt.Messages(problem), ChatMessage.Assistant(answer), ChatMessage.User(options.RevisionText)];
}
