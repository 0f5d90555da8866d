using Distill.Data.Similarity;
using Distill.Data.Traces;
using Distill.Verification;

namespace Distill.Data.Curation;

/// <summary>Drops completions outside a band of lengths.</summary>
internal sealed class LengthRule : ITraceRule
{
    private readonly int least, most;

    private LengthRule(int least, int most) => (this.least, this.most) = (least, most);

    public static LengthRule? Of(CurationOptions options) =>
        options is { MinTokens: 0, MaxTokens: int.MaxValue } ? null : new LengthRule(options.MinTokens, options.MaxTokens);

    public string? DropReason(Trace trace, Verdict verdict) =>
        trace.CompletionTokens < least ? "too_short" : trace.CompletionTokens > most ? "too_long" : null;
}

/// <summary>Drops completions that fall into another language: too many letters of scripts that the problem is not written in.</summary>
internal sealed class LanguageRule : ITraceRule
{
    private readonly double most;

    private LanguageRule(double most) => this.most = most;

    public static LanguageRule? Of(CurationOptions options) =>
        options.MaxForeignLetters >= 1 ? null : new LanguageRule(options.MaxForeignLetters);

    public string? DropReason(Trace trace, Verdict verdict)
    {
        var known = Scripts.Of(trace.Problem.Text) | Scripts.Of(trace.Problem.ReferenceAnswer) | WritingScripts.Greek;
        foreach (string choice in trace.Problem.Choices) known |= Scripts.Of(choice);
        if (known == WritingScripts.Greek) return null; // a problem without a letter, or of formulas alone, is in no language
        var (foreignInReasoning, lettersInReasoning) = Scripts.Count(trace.Reasoning, known);
        var (foreignInAnswer, lettersInAnswer) = Scripts.Count(trace.Answer ?? "", known);
        long letters = lettersInReasoning + lettersInAnswer;
        return letters > 0 && foreignInReasoning + foreignInAnswer > most * letters ? "language" : null;
    }
}

/// <summary>Drops answers that do not put the result into a box although they were asked to.</summary>
internal sealed class BoxedRule : ITraceRule
{
    private const string Open = "\\boxed{";

    public string? DropReason(Trace trace, Verdict verdict) => HasBox(trace.Answer ?? "") ? null : "unboxed";

    private static bool HasBox(string text)
    {
        int start = text.LastIndexOf(Open, StringComparison.Ordinal);
        if (start < 0) return false;
        int depth = 1;
        for (int i = start + Open.Length; i < text.Length; i++)
        {
            depth += text[i] switch { '{' => 1, '}' => -1, _ => 0 };
            if (depth == 0) return true;
        }

        return false;
    }
}

/// <summary>Drops completions that go round in circles: at their end, or line by line.</summary>
internal sealed class RepetitionRule : ITraceRule
{
    private readonly int loops;
    private readonly double mostLines;

    private RepetitionRule(int loops, double mostLines) => (this.loops, this.mostLines) = (loops, mostLines);

    public static RepetitionRule? Of(CurationOptions options) => options is { Loops: 0, MaxRepeatedLines: >= 1 }
        ? null
        : new RepetitionRule(options.Loops, options.MaxRepeatedLines);

    public string? DropReason(Trace trace, Verdict verdict) =>
        Repeats(trace.Reasoning) || (trace.Answer is { } answer && Repeats(answer)) ? "repetition" : null;

    private bool Repeats(string text) =>
        (loops > 0 && Repetition.EndsInLoop(text, loops)) || (mostLines < 1 && Repetition.RepeatedLines(text) > mostLines);
}

/// <summary>Drops traces that hold a run of words of a problem that is tested on.</summary>
internal sealed class ContaminationRule(GramIndex tests) : ITraceRule
{
    public string? DropReason(Trace trace, Verdict verdict) =>
        tests.Meets(trace.Problem.Text) || tests.Meets(trace.Reasoning) || (trace.Answer is { } answer && tests.Meets(answer))
            ? "contaminated" : null;
}

/// <summary>
/// Drops traces that the student finds too unlikely to learn from, or so likely that there is nothing to learn. One without a score stays.
/// </summary>
internal sealed class LearnabilityRule(LearnabilityScores scores, CurationOptions options) : ITraceRule
{
    public string? DropReason(Trace trace, Verdict verdict) => scores.Of(trace) switch
    {
        { } mean when mean < options.MinLogProbability => "too_surprising",
        { } mean when mean > options.MaxLogProbability => "too_familiar",
        _ => null,
    };
}
