using Distill.Data.Problems;
using Distill.Generation;
using Distill.Tokenization;

namespace Distill.Evaluation.Strategies;

/// <summary>
/// Budget forcing (s1, arXiv 2501.19393): when the model would end its thinking, the end is left out and "Wait" put in its place, so
/// that it thinks on; at the cap the thinking is ended by force and the answer asked for. An answer is taken after every prolongation,
/// which gives the curve of accuracy against thinking.
/// </summary>
internal sealed class BudgetForcing : IStrategy
{
    // Sample numbers of answers, apart from those of thinking.
    private const int AnswerSeeds = 1_000_000;

    public string Name => "budget";

    public string Description => "thinking prolonged with \"Wait\" where it would end, and ended by force at its cap";

    public IReadOnlyList<string> Levels(StrategyOptions options) =>
        [.. Enumerable.Range(0, options.Budget + 1).Select(waits => waits switch { 0 => "no wait", 1 => "1 wait", _ => $"{waits} waits" })];

    public IReadOnlyList<StrategyAnswer[]> Solve(Reasoner reasoner, IReadOnlyList<Problem> problems, StrategyOptions options)
    {
        var (close, wait) = (CloseMark(reasoner.Encoder.Tokenizer), WaitTokens(reasoner.Encoder.Tokenizer, options));
        Thought[] thoughts = [.. problems.Select(problem => new Thought(problem, reasoner.PromptOf(problem)))];
        for (int level = 0; level <= options.Budget; level++)
        {
            if (level > 0) foreach (var thought in thoughts) thought.Prolong(wait, options.MaxNewTokens, reasoner.MaxLength);
            Think(level);
            Answer(level);
        }

        return [.. thoughts.Select(thought => thought.Answers.ToArray())];

        void Think(int level)
        {
            Thought[] open = [.. thoughts.Where(thought => thought.MayThink(options.MaxNewTokens, reasoner.MaxLength))];
            Ask(
                open, level, thought => thought.Room(options.MaxNewTokens, reasoner.MaxLength), close,
                (thought, completion) => thought.Think(completion, close));
        }

        void Answer(int level)
        {
            Thought[] open = [.. thoughts.Where(thought => thought.NeedsAnswer && !thought.IsWhole)];
            foreach (var thought in thoughts.Except(open))
            {
                if (thought.NeedsAnswer) thought.Conclude(reasoner);
                else thought.Repeat();
            }

            foreach (var thought in open) thought.Close(close);
            Ask(
                open, level + AnswerSeeds, _ => options.MaxAnswerTokens, null,
                (thought, completion) => thought.Answer(completion, reasoner));
        }

        void Ask(Thought[] open, int seed, Func<Thought, int> limit, int? stop, Action<Thought, Completion> take)
        {
            var completions = reasoner.Complete([.. open.Select(thought =>
            {
                var request = reasoner.Request(
                    thought.Tokens, limit(thought), options.Sampling, [Reasoner.SeedOf(thought.Problem, seed, options)]);
                return stop is { } token ? request with { StopTokens = [.. request.StopTokens, token] } : request;
            })]);
            for (int i = 0; i < open.Length; i++) take(open[i], completions[i][0]);
        }
    }

    private static int CloseMark(Tokenizer tokenizer) => tokenizer.IdOf(ThinkMarks.Close) is { } id && tokenizer.IsAdded(id)
        ? id
        : throw new InvalidDataException(
            $"Budget forcing needs a model that marks its thinking: this tokenizer has no token '{ThinkMarks.Close}'.");

    private static int[] WaitTokens(Tokenizer tokenizer, StrategyOptions options)
    {
        int[] tokens = tokenizer.Encode(options.WaitText);
        return tokens.Length > 0 && tokenizer.Decode(tokens).Trim() == options.WaitText.Trim()
            ? tokens
            : throw new InvalidDataException(
                $"This tokenizer cannot spell '{options.WaitText}', the text that prolongs the thinking. Give words that it knows.");
    }
}

/// <summary>One problem's thinking under <see cref="BudgetForcing"/>: the tokens so far, and the answer at every level.</summary>
internal sealed class Thought(Problem problem, int[] prompt)
{
    private readonly List<int> tokens = [.. prompt];
    private readonly List<StrategyAnswer> answers = [];
    private int thinkingEnd = prompt.Length; // where the thinking ends; beyond it lie the closing mark and an answer
    private bool mayThink = true; // at the start, and again after each "Wait"
    private bool wholeReply; // the model ended its reply without closing any thinking

    public Problem Problem => problem;

    public IReadOnlyList<int> Tokens => tokens;

    public IReadOnlyList<StrategyAnswer> Answers => answers;

    /// <summary>The thinking has got new tokens since the last answer.</summary>
    public bool NeedsAnswer { get; private set; }

    public int Room(int cap, int maxLength) => Math.Min(cap - (thinkingEnd - prompt.Length), maxLength - thinkingEnd - 2);

    public bool MayThink(int cap, int maxLength) => mayThink && Room(cap, maxLength) > 0;

    /// <summary>The reply is complete without an answer of its own having to be asked for.</summary>
    public bool IsWhole => wholeReply;

    public void Think(Completion completion, int close)
    {
        (NeedsAnswer, mayThink) = (true, false);
        wholeReply = completion.StopReason == StopReason.StopToken && completion.Tokens[^1] != close;
        tokens.AddRange(completion.StopReason == StopReason.StopToken ? completion.Tokens.SkipLast(1) : completion.Tokens);
        thinkingEnd = tokens.Count;
    }

    public void Close(int close) => tokens.Add(close);

    /// <summary>Takes the answer that followed the closing mark, and opens the thinking again. One that was cut off is none.</summary>
    public void Answer(Completion completion, Reasoner reasoner)
    {
        bool cut = completion.StopReason == StopReason.Length;
        Note(cut ? null : reasoner.AnswerOf([.. tokens.Skip(prompt.Length), .. completion.Tokens]), completion.Tokens.Count);
        tokens.RemoveRange(thinkingEnd, tokens.Count - thinkingEnd);
    }

    /// <summary>The reply as it stands is the answer.</summary>
    public void Conclude(Reasoner reasoner) => Note(reasoner.AnswerOf([.. tokens.Skip(prompt.Length)]), 0);

    /// <summary>Nothing more to think: the answer and its cost stay.</summary>
    public void Repeat() => answers.Add(answers[^1]);

    /// <summary>Puts "Wait" where the thinking would have ended, if there is room to think on.</summary>
    public void Prolong(int[] wait, int cap, int maxLength)
    {
        if (wholeReply || Room(cap, maxLength) <= wait.Length) return;
        tokens.AddRange(wait);
        thinkingEnd = tokens.Count;
        mayThink = true;
    }

    private void Note(string? answer, int answerTokens)
    {
        NeedsAnswer = false;
        answers.Add(new StrategyAnswer(answer, thinkingEnd - prompt.Length + answerTokens));
    }
}
