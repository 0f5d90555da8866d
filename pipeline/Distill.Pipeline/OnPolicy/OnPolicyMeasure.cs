using Distill.Evaluation.Statistics;
using Distill.Student.Distillation;
using Distill.Student.Reinforcement;
using Distill.Verification;

namespace Distill.Pipeline.OnPolicy;

/// <summary>A student's completion as teacher and student read it.</summary>
/// <param name="Rollout">With what the teacher thinks of it.</param>
/// <param name="Student">What the student itself thinks at the same places.</param>
/// <param name="TeacherSolves">Whether the teacher's own completion of the problem is right.</param>
internal sealed record PreflightText(Rollout Rollout, TeacherAlternatives Student, bool TeacherSolves)
{
    public bool IsRight => Rollout.Verdict == Verdict.Correct;
}

/// <summary>How teacher and student compare on the student's own texts, before anything is learned from them.</summary>
/// <param name="Problems">Each answered once by both, sampled alike.</param>
/// <param name="Tokens">Of the student's completions.</param>
/// <param name="StudentAccuracy">Share of problems solved.</param>
/// <param name="TeacherAccuracy">The same of the teacher.</param>
/// <param name="Gain">The teacher's accuracy − the student's, over the same problems.</param>
/// <param name="SharedMass">
/// Share of the teacher's probability that lies on the student's <see cref="Likely"/> likeliest tokens, averaged over the places.
/// </param>
/// <param name="Overlap">Of the likeliest tokens of both, those in common over those of either (Jaccard), averaged over the places.</param>
/// <param name="ObjectionsWhereWrong">
/// Share of the tokens at which the teacher finds another token likelier, in completions that end wrong; null where none does.
/// </param>
/// <param name="ObjectionsWhereRight">The same in completions that end right; null where none does.</param>
/// <param name="Temperature">Of the completions; the teacher is scored at 1.</param>
internal sealed record OnPolicyMeasure(
    int Problems, long Tokens, double StudentAccuracy, double TeacherAccuracy, PairedBootstrap Gain, double SharedMass, double Overlap,
    double? ObjectionsWhereWrong, double? ObjectionsWhereRight, double Temperature)
{
    /// <summary>Tokens at each place that count as likely.</summary>
    public const int Likely = 16;

    /// <summary>
    /// Tokens that the teacher is asked for at each place. Of what it gives to others nothing is counted: 16 of them together have less
    /// than 16 times the probability of the last that is named.
    /// </summary>
    public const int Named = 64;

    /// <param name="texts">One a problem, at least one.</param>
    /// <param name="seed">Of the resampling behind the interval.</param>
    public static OnPolicyMeasure Of(IReadOnlyList<PreflightText> texts, double temperature, ulong seed)
    {
        var places = texts.SelectMany(PlacesOf).ToList();
        double[] student = [.. texts.Select(text => text.IsRight ? 1.0 : 0)];
        double[] teacher = [.. texts.Select(text => text.TeacherSolves ? 1.0 : 0)];
        return new OnPolicyMeasure(
            texts.Count, places.Count, student.Average(), teacher.Average(), PairedBootstrap.Run(student, teacher, seed),
            places.Average(place => place.SharedMass), places.Average(place => place.Overlap),
            Objections(places.Where(place => !place.IsRight)), Objections(places.Where(place => place.IsRight)), temperature);
    }

    private static double? Objections(IEnumerable<Place> places) =>
        places.Select(place => (double?)(place.IsObjection ? 1 : 0)).Average();

    private static IEnumerable<Place> PlacesOf(PreflightText text)
    {
        var teacher = text.Rollout.Teacher ?? throw new InvalidOperationException("No teacher has read this completion.");
        for (int position = 0; position < text.Rollout.SupervisedCount; position++)
        {
            int[] named = teacher.IdsAt(position).ToArray();
            float[] thought = teacher.LogProbabilitiesAt(position).ToArray();
            var own = text.Student.IdsAt(position)[..Math.Min(Likely, text.Student.Top)].ToArray().ToHashSet();
            double shared = named.Zip(thought).Where(pair => own.Contains(pair.First)).Sum(pair => Math.Exp((double)pair.Second));
            var likely = named.Take(Likely).ToHashSet();
            int common = likely.Count(own.Contains);
            yield return new Place(
                shared, (double)common / (likely.Count + own.Count - common),
                named[0] != text.Rollout.Tokens[text.Rollout.FirstSupervised + position], text.IsRight);
        }
    }

    private readonly record struct Place(double SharedMass, double Overlap, bool IsObjection, bool IsRight);
}
