using System.Globalization;
using System.Text.Json.Serialization;

namespace Distill.Pipeline.OnPolicy;

/// <summary>What is to be expected of on-policy distillation.</summary>
internal enum OnPolicyVerdict
{
    ExpectedToHelp,
    NotExpectedToHelp,

    /// <summary>Teacher and student do not read the same tokens, or the teacher cannot score.</summary>
    CannotBeDone,
}

/// <summary>The preflight of on-policy distillation: what was measured and what follows.</summary>
/// <param name="Reason">Why, in a sentence without its end.</param>
/// <param name="Measure">Null where nothing could be measured.</param>
internal sealed record OnPolicyReport(OnPolicyVerdict Verdict, string Reason, OnPolicyMeasure? Measure)
{
    /// <summary>Something else to know, a sentence; null: nothing.</summary>
    public string? Caution { get; init; }

    /// <summary>Verdict and reason, without the numbers.</summary>
    [JsonIgnore]
    public string Sentence => $"{Word}: {Reason}";

    /// <summary>All in one line, without times.</summary>
    public string Describe() => Sentence
        + (Measure is null ? "" : $"; {Numbers(Measure)}")
        + (Caution is null ? "" : $". {Caution}");

    private string Word => Verdict switch
    {
        OnPolicyVerdict.ExpectedToHelp => "expected to help",
        OnPolicyVerdict.NotExpectedToHelp => "not expected to help",
        OnPolicyVerdict.CannotBeDone => "cannot be done",
        _ => throw new InvalidOperationException($"Unknown verdict {Verdict}."),
    };

    private static string Numbers(OnPolicyMeasure measure) => string.Create(
        CultureInfo.InvariantCulture,
        $"{measure.Problems:N0} problems: student {100 * measure.StudentAccuracy:F0} %, teacher {100 * measure.TeacherAccuracy:F0} % "
        + $"({OnPolicyRule.Points(measure.Gain.Mean)}, 95 %: {OnPolicyRule.Points(measure.Gain.Interval.Low)} to "
        + $"{OnPolicyRule.Points(measure.Gain.Interval.High)} points); {100 * measure.SharedMass:F1} % of the teacher's probability on the "
        + $"student's {OnPolicyMeasure.Likely} likeliest tokens, overlap {measure.Overlap:F2}; the teacher prefers another token at "
        + $"{Objections(measure)}");

    private static string Objections(OnPolicyMeasure measure) => (measure.ObjectionsWhereWrong, measure.ObjectionsWhereRight) switch
    {
        ({ } wrong, { } right) => $"{Share(wrong)} of the places where the answer is wrong, {Share(right)} where it is right",
        ({ } wrong, null) => $"{Share(wrong)} of the places; no answer is right",
        (null, { } right) => $"{Share(right)} of the places; no answer is wrong",
        _ => throw new InvalidOperationException("There are no completions."),
    };

    private static string Share(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:F1} %");
}
