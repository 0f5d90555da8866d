using Distill.Data.Problems;
using Distill.Generation;
using Distill.Pipeline.Models;
using Distill.Pipeline.OnPolicy;
using Distill.Student.Distillation;
using Distill.Student.Reinforcement;
using Distill.Tokenization;
using Distill.Verification;

namespace Distill.Pipeline.Tests.OnPolicy;

/// <summary>What is measured before on-policy distillation, and the verdict that follows.</summary>
public sealed class OnPolicyMeasureTests
{
    private const int Vocabulary = 40;

    private static readonly Problem AnyProblem = new("x", "arithmetic", "arithmetic", Split.Train, 1, "1 + 1", "2", null, "1+1");

    // The student's likely tokens are 0..15 everywhere. At the one place of its text the teacher's are 1..16, token 16 with a tenth.
    [Fact]
    public void Mass_and_overlap_are_those_of_the_likely_tokens_of_both()
    {
        double[] teacher = new double[Vocabulary];
        teacher[1] = 0.6;
        teacher[16] = 0.1;
        for (int id = 2; id < 16; id++) teacher[id] = 0.3 / 14;
        var measure = OnPolicyMeasure.Of([Text([1], teacher, isRight: true, teacherSolves: true)], 1, 1);
        measure.SharedMass.ShouldBe(0.9, 1e-6);
        measure.Overlap.ShouldBe(15 / 17.0, 1e-12);
        (measure.Problems, measure.Tokens, measure.StudentAccuracy, measure.TeacherAccuracy).ShouldBe((1, 1L, 1.0, 1.0));
        (measure.ObjectionsWhereRight, measure.ObjectionsWhereWrong).ShouldBe((0.0, null));
    }

    [Fact]
    public void Objections_are_counted_by_token_and_told_apart_by_the_answer()
    {
        double[] teacher = Alike();
        var measure = OnPolicyMeasure.Of(
            [
                Text([0, 3, 0, 5], teacher, isRight: false, teacherSolves: true), Text([7], teacher, isRight: false, teacherSolves: false),
                Text([0, 0, 0, 2], teacher, isRight: true, teacherSolves: true),
            ], 0.8, 1);
        measure.ObjectionsWhereWrong.ShouldBe(3 / 5.0);
        measure.ObjectionsWhereRight.ShouldBe(1 / 4.0);
        measure.Gain.Mean.ShouldBe(1 / 3.0, 1e-12);
        (measure.Tokens, measure.Temperature).ShouldBe((9L, 0.8));
    }

    [Theory]
    [InlineData(0.95, 0.2, 0.05, 0.01, "ExpectedToHelp", "prefers other tokens where the student fails")]
    [InlineData(0.89, 0.2, 0.05, 0.01, "NotExpectedToHelp", "would not write as the student does")]
    [InlineData(0.95, 0.0, 0.05, 0.01, "NotExpectedToHelp", "does not solve more")]
    [InlineData(0.95, 0.1, 0.05, 0.01, "NotExpectedToHelp", "not +10 points for sure")]
    [InlineData(0.95, 0.11, 0.05, 0.01, "ExpectedToHelp", "solves more")]
    [InlineData(0.95, 0.2, 0.01, 0.01, "NotExpectedToHelp", "does not know better where the student fails")]
    [InlineData(0.95, 0.2, 0.05, 0.026, "NotExpectedToHelp", "does not know better where the student fails")]
    [InlineData(0.95, 0.2, 0.05, 0.025, "ExpectedToHelp", "solves more")]
    [InlineData(0.95, 0.2, 0.0, null, "NotExpectedToHelp", "does not know better where the student fails")]
    [InlineData(0.95, 0.2, null, 0.01, "NotExpectedToHelp", "does not know better where the student fails")]
    [InlineData(0.95, 0.2, 0.01, null, "ExpectedToHelp", "solves more")]
    public void All_three_conditions_must_hold(
        double mass, double low, double? wrong, double? right, string verdict, string reason)
    {
        var report = OnPolicyRule.Of(new(
            64, 1000, 0.5, 0.75, new(0.25, new(low, 0.4), 0.05, 0.01), mass, 0.7, wrong, right, Temperature: 1));
        report.Verdict.ToString().ShouldBe(verdict);
        report.Reason.ShouldContain(reason);
        report.Caution.ShouldBeNull();
    }

    [Fact]
    public void A_line_says_all_of_it()
    {
        var report = OnPolicyRule.Of(new(
            64, 1000, 0.5, 0.75, new(0.25, new(0.125, 0.375), 0.05, 0.01), 0.98765, 0.75, 0.04, 0.0101, Temperature: 0.7));
        report.Describe().ShouldBe(
            "expected to help: the teacher writes alike, solves more and prefers other tokens where the student fails; 64 problems: "
            + "student 50 %, teacher 75 % (+25, 95 %: +13 to +38 points); 98.8 % of the teacher's probability on the student's 16 "
            + "likeliest tokens, overlap 0.75; the teacher prefers another token at 4.0 % of the places where the answer is "
            + "wrong, 1.0 % where it is right. The completions are sampled at temperature 0.7 and the teacher is scored at 1");
        OnPolicyRule.Of(report.Measure! with { ObjectionsWhereRight = null }).Describe()
            .ShouldContain(" 4.0 % of the places; no answer is right.");
        OnPolicyRule.Of(report.Measure! with { ObjectionsWhereWrong = null }).Describe()
            .ShouldContain(" 1.0 % of the places; no answer is wrong.");
        new OnPolicyReport(OnPolicyVerdict.CannotBeDone, "they differ", null).Describe().ShouldBe("cannot be done: they differ");
    }

    // The student ends half of its completions with 3, which is wrong, and the teacher never does.
    [Fact]
    public void A_teacher_that_knows_the_token_where_the_student_guesses_is_expected_to_help_and_one_that_guesses_alike_is_not()
    {
        Verdict(0.02).ShouldBe(OnPolicyVerdict.ExpectedToHelp);
        Verdict(0.5).ShouldBe(OnPolicyVerdict.NotExpectedToHelp);

        static OnPolicyVerdict Verdict(double teacherErrs)
        {
            var encoder = ChatEncoder.Load(Path.Combine(RepositoryFolder.Root, "student/models/tiny-base"));
            using ScriptedModel student = new(encoder, 0.5), teacher = new(encoder, teacherErrs);
            var problems = ProblemSet.Generate([new ProblemSetPart("arithmetic", 1)], 1, Split.Validation, 64);
            var collection = new RolloutCollection(
                encoder,
                (_, completion) => completion.Tokens.Contains(ScriptedModel.Wrong) ? Verification.Verdict.Incorrect
                    : Verification.Verdict.Correct,
                new GroupRelativeOptions { MaxTokens = 8, Slots = 4 });
            using RolloutScoring own = new(student, 2, 400), other = new(teacher, 2, 400);
            return OnPolicyRule.Of(new OnPolicyPreflight(collection, 1, 5).Measure(
                new(student, own), new(teacher, other), problems, TestContext.Current.CancellationToken)).Verdict;
        }
    }

    private static double[] Alike() => [.. Enumerable.Range(0, Vocabulary).Select(id => id < 16 ? (17.0 - id) / 152 : 0)];

    private static PreflightText Text(int[] written, double[] teacher, bool isRight, bool teacherSolves)
    {
        int[] best = [.. Enumerable.Range(0, Vocabulary).OrderByDescending(id => teacher[id])], own = [.. Enumerable.Range(0, 16)];
        var rollout = new Rollout(
            [9, 9, .. written], 2, AnyProblem,
            new Completion(written, [.. written.Select(_ => -1f)], StopReason.StopToken, 1),
            isRight ? Verdict.Correct : Verdict.Incorrect, 1)
        {
            Teacher = new TeacherAlternatives(
                Vocabulary, Repeated(best, written.Length), Repeated([.. best.Select(id => (float)Math.Log(teacher[id]))], written.Length)),
        };
        return new PreflightText(
            rollout, new TeacherAlternatives(16, Repeated(own, written.Length), Repeated([.. own.Select(_ => -3f)], written.Length)),
            teacherSolves);
    }

    private static T[] Repeated<T>(T[] row, int times) => [.. Enumerable.Repeat(row, times).SelectMany(values => values)];
}
