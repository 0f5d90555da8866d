using Distill.Data.Problems;
using Distill.Generation;

namespace Distill.Evaluation.Strategies;

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
