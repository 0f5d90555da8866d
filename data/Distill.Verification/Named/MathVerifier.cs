using Distill.Verification.Mathematics;
using Distill.Verification.Mathematics.Judging;
using Distill.Verification.Mathematics.Numbers;
using Distill.Verification.Mathematics.Reading;

namespace Distill.Verification.Named;

/// <summary>
/// Compares what an answer means: numbers in all their spellings, LaTeX, lists of solutions, points, intervals, sets, matrices, equations.
/// Values are compared exactly, or by enclosures where they are irrational; nothing is evaluated as code. A verdict takes a bounded number
/// of steps, so it is the same on every machine.
/// </summary>
internal sealed class MathVerifier : IVerifier
{
    // Some ten milliseconds.
    private const long Steps = 2_000_000;

    public string Name => "math";

    public int Version => AnswerExtraction.Version + 2;

    public Verdict Verify(string? answer, IVerifiable problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        if (AnswerText.Of(answer) is not { } text || AnswerText.Of(problem.ReferenceAnswer) is not { } goldText) return Verdict.Undecidable;
        // "The answer is 3!" is glad, and no factorial, unless there is one to be found.
        if (IsExclaimed(text, answer!) && !goldText.Contains('!', StringComparison.Ordinal)) text = text.TrimEnd('!', ' ');
        if (AnswerReader.Read(goldText) is not { } gold || AnswerReader.Read(text) is not { } given) return Verdict.Undecidable;
        if (given is Words && gold is not Words && !IsLetter(gold)) return Verdict.Undecidable;
        var comparison = ComparisonFor(problem);
        bool? same = comparison.Same(gold, given);
        if (same != true && OtherReading(goldText, gold, text, given) is var (otherGold, otherGiven))
            same = comparison.Same(otherGold, otherGiven) is true ? true : same;
        return same switch
        {
            true => Verdict.Correct,
            false => Verdict.Incorrect,
            null => Verdict.Undecidable,
        };
    }

    public string? ClassOf(string? answer, IVerifiable problem)
    {
        if (AnswerText.Of(answer) is not { } text || AnswerReader.Read(text) is not { } value) return null;
        return AnswerClass.Of(value, new WorkBudget(Steps)) + (IsExclaimed(text, answer!) ? "!" : "");
    }

    public string? FaultOf(IVerifiable problem)
    {
        if (AnswerText.Of(problem.ReferenceAnswer) is not { } text || AnswerReader.Read(text) is not { } gold)
            return "the reference answer cannot be read as mathematics or words";
        return ComparisonFor(problem).Same(gold, gold) is true
            ? null
            : "the reference answer has no value, or none that can be worked out within the limits";
    }

    private static bool IsExclaimed(string text, string answer) =>
        text.EndsWith('!') && AnswerExtraction.Body(answer) is { } body && AnswerBox.LastIn(body) is null;

    /// <summary>Whether a reference answer is mathematics, or words, at all.</summary>
    internal static bool CanRead(string gold) => AnswerText.Of(gold) is { } text && AnswerReader.Read(text) is not null;

    private static bool IsLetter(AnswerValue gold) => gold is Quantity { Value: Name { IsVariable: true } };

    private static AnswerComparison ComparisonFor(IVerifiable problem) => new(
        new WorkBudget(Steps),
        speaksOfRatios: Speaks(problem, "ratio"),
        speaksOfBases: Speaks(problem, "base") || Speaks(problem, "binary"));

    private static bool Speaks(IVerifiable problem, string word) => problem.Text.Contains(word, StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// 100,200 may be one number or two solutions, and 5m a length or a product: which, the other side tells where it is clear.
    /// </summary>
    private static (AnswerValue Gold, AnswerValue Given)? OtherReading(string goldText, AnswerValue gold, string text, AnswerValue given)
    {
        if (gold is Quantity && given is Group { Kind: GroupKind.List } && AnswerReader.Read(goldText, joinsThousands: false) is Group list)
            return (list, given);
        if (gold is not Quantity first || given is not Quantity second || first.Unit is null == second.Unit is null) return null;
        return AnswerReader.Read(goldText, gluedUnits: true) is Quantity { Unit: not null } goldMeasured
            && AnswerReader.Read(text, gluedUnits: true) is Quantity { Unit: not null } measured
            ? (goldMeasured, measured)
            : null;
    }
}
