using System.Globalization;

namespace Distill.Pipeline.OnPolicy;

/// <summary>
/// When on-policy distillation is expected to help: all three must hold.
/// <list type="number">
/// <item>Teacher and student think alike: most of the teacher's probability lies on the student's likely tokens. Elsewhere the teacher is
/// asked about texts that it would never write.</item>
/// <item>The teacher can do much more: its gain on the student's problems is above <see cref="LeastGain"/> by its whole 95 % interval. A
/// student that has read many traces of its teacher is a few points behind it in what it has no room for, and stays there.</item>
/// <item>It knows better where the student fails: it prefers another token at least <see cref="LeastObjections"/> times as often in
/// completions that end wrong as in those that end right. Otherwise what it says of tokens has little to do with being right.</item>
/// </list>
/// The first two are the conditions of Li et al. 2026 (arXiv 2604.13016), who find 97 to 99 % of the probability on a small shared set of
/// tokens where distillation succeeds; the third is the plainest form of knowing something new.
/// </summary>
internal static class OnPolicyRule
{
    /// <summary>Least share of the teacher's probability; below the paper's range, which is reached in training.</summary>
    public const double LeastSharedMass = 0.9;

    /// <summary>
    /// Least share of problems that the teacher solves more. Of a smaller gain distillation brought nothing that several hundred problems
    /// could tell: docs/on-policy.md has the settings that this was taken from, and those that it was tried on afterwards.
    /// </summary>
    public const double LeastGain = 0.1;

    /// <summary>How many times as often the teacher objects where the answer is wrong as where it is right, at least.</summary>
    public const double LeastObjections = 2;

    public static OnPolicyReport Of(OnPolicyMeasure measure)
    {
        var (verdict, reason) = Judge(measure);
        return new OnPolicyReport(verdict, reason, measure)
        {
            Caution = measure.Temperature == 1 ? null
                : string.Create(CultureInfo.InvariantCulture,
                    $"The completions are sampled at temperature {measure.Temperature} and the teacher is scored at 1"),
        };
    }

    /// <returns>Points of a hundred, with their sign.</returns>
    internal static string Points(double share) => (100 * share).ToString("+0;-0;0", CultureInfo.InvariantCulture);

    private static (OnPolicyVerdict Verdict, string Reason) Judge(OnPolicyMeasure measure)
    {
        if (measure.SharedMass < LeastSharedMass)
            return (OnPolicyVerdict.NotExpectedToHelp, "the teacher would not write as the student does; train the student on the "
                + "teacher's traces first");
        if (measure.Gain.Interval.Low <= 0)
            return (OnPolicyVerdict.NotExpectedToHelp, "the teacher does not solve more of these problems for sure");
        if (measure.Gain.Interval.Low <= LeastGain)
            return (OnPolicyVerdict.NotExpectedToHelp, $"the teacher solves more, but not {Points(LeastGain)} points for sure; of so "
                + "little not enough is learned to be seen");
        if (measure.ObjectionsWhereWrong is not > 0
            || measure.ObjectionsWhereWrong < LeastObjections * (measure.ObjectionsWhereRight ?? 0))
            return (OnPolicyVerdict.NotExpectedToHelp, "the teacher does not know better where the student fails");
        return (OnPolicyVerdict.ExpectedToHelp, "the teacher writes alike, solves more and prefers other tokens where the student fails");
    }
}
