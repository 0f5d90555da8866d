using Distill.Evaluation.Statistics;
using Distill.Pipeline.Reporting;

namespace Distill.Pipeline.Tests.Reporting;

/// <summary>What the first screen of a report says, word by word, and that it claims no more than the numbers do.</summary>
public sealed class LessonsTests
{
    private static readonly RunReport Full = SampleReport.Full;

    [Fact]
    public void It_opens_with_what_steps_and_answers_taught()
    {
        string said = ReasoningSentence.Of(Full);
        said.ShouldStartWith("The student trained on steps solves 79.2 % of 200 problems and 75.2 % of their twins (the same problems "
            + "with other names and numbers, or with a clause that changes nothing); the one trained on answers alone 22.6 % and 8.0 %: "
            + "when the problems change, what the first learned holds within five points (−4.0 points, ");
        said.ShouldContain("; of the twins of what it solves it solves 94.");
        said.ShouldContain("), what the second learned falls apart (−14.5 points, ");
        said.ShouldContain("; of the twins of what it solves it solves 35.");
        ReportHtml.Render(Full, []).ShouldContain("<p class=\"lead\">The student trained on steps");
    }

    [Theory]
    [InlineData(-0.01, -0.06, 0.04, 0.95, "Holds")]
    [InlineData(0.07, 0.01, 0.13, 0.95, "Holds")]
    [InlineData(-0.03, -0.05, -0.01, 0.95, "Holds")]
    [InlineData(-0.25, -0.31, -0.19, 0.6, "FallsApart")]
    [InlineData(-0.12, -0.18, -0.06, 0.8, "HoldsInPart")]
    [InlineData(-0.06, -0.11, -0.01, 0.9, "HoldsInPart")]
    [InlineData(-0.07, -0.15, 0.01, 0.9, "Unclear")]
    [InlineData(0.0, -0.15, 0.15, 0.9, "Unclear")]
    [InlineData(0.02, -0.02, 0.06, 0.5, "FallsApart")]
    [InlineData(0.02, -0.02, 0.06, 0.64, "Guessed")]
    [InlineData(0.1, 0.05, 0.15, 0.72, "Guessed")]
    [InlineData(-0.04, -0.08, 0.0, 0.84, "Guessed")]
    [InlineData(-0.04, -0.08, 0.0, 0.86, "Holds")]
    public void A_fall_is_judged_by_its_size_its_interval_and_by_what_is_kept(
        double mean, double low, double high, double kept, string verdict)
    {
        var fall = new PairedBootstrap(mean, new Interval(low, high), 0.03, 0.5);

        ReasoningSentence.Judge(fall, new PairedBootstrap(kept, new Interval(kept - 0.05, kept + 0.05), 0.03, 0.5))
            .ToString().ShouldBe(verdict);
    }

    /// <summary>Half of the answers right by chance: as many twins as problems, but others.</summary>
    [Fact]
    public void Somebody_who_guesses_keeps_half_of_what_was_solved()
    {
        string originals = string.Concat(Enumerable.Repeat("1100", 50)), twins = string.Concat(Enumerable.Repeat("1010", 50));
        var guessed = new ProblemVerdicts(200, "", string.Join(' ', Enumerable.Range(0, 200)), "", [new("m", originals, 0, "", twins)]);

        var (fall, kept) = (ReasoningSentence.Fall(guessed, "m")!, ReasoningSentence.Kept(guessed, "m")!);

        fall.Mean.ShouldBe(0, 1e-12);
        kept.Mean.ShouldBe(0.5, 1e-12);
        ReasoningSentence.Judge(fall, kept).ShouldBe(TwinVerdict.FallsApart);
        ReasoningSentence.Kept(guessed with { Models = [new("m", new string('0', 200), 0, "", twins)] }, "m").ShouldBeNull();
    }

    [Fact]
    public void What_was_not_measured_is_not_judged()
    {
        ReasoningSentence.Of(Full with { Verdicts = null })
            .ShouldEndWith(": when the problems change, what each of them learned was not tested.");
        var untested = Full with { Evaluations = [.. Full.Evaluations.Select(row => row with { Twins = null })] };
        ReasoningSentence.Of(untested).ShouldStartWith("Whether the student reasons or matches patterns was not measured");
        ReasoningSentence.Of(new RunReport { Run = "r", RecipeDigest = "" }).ShouldBeEmpty();
        Lessons.Of(new RunReport { Run = "r", RecipeDigest = "" }).ShouldBeEmpty();
    }

    [Fact]
    public void Then_it_says_what_each_part_did()
    {
        var said = Lessons.Of(Full);
        said.Select(lesson => lesson.Kind).ShouldBe([FindingKind.Good, FindingKind.Good, FindingKind.Good, FindingKind.Good]);
        // (401 − 2) / (486 − 2)
        said[0].Text.ShouldBe("Distillation: of 500 held-out problems the student solves 80.2 % (76.5–83.5); before the training it solved "
            + "0.4 % (0.1–1.4); the teacher, 4.51 times as large, solves 97.2 % (95.4–98.3). That is 82.4 % "
            + $"({ReportNumbers.Range(Recovered(), 500)}) of the way from where it started to the teacher.");
        said[1].Text.ShouldBe("Steps: the student trained on steps, against the same one trained on answers alone: greedy answers better, "
            + "+57.4 points (+52.9 to +61.8); sampled answers better, +47.9 points (+44.4 to +51.3).");
        said[2].Text.ShouldBe("RL, on top of steps: greedy answers no different as far as can be told, +1.8 points (−1.2 to +4.6); sampled "
            + "answers better, +7.7 points (+5.5 to +9.9).");
        said[3].Text.ShouldBe("Exported file: answers all 500 test problems and twins as the trained model does.");
    }

    [Fact]
    public void A_training_that_cost_greedy_answers_is_no_good_news()
    {
        var cost = Full.Comparisons[1] with { Greedy = new(-0.036, new(-0.07, -0.01), 0.015, 0.02) };
        var said = Lessons.Of(Full with { Comparisons = [Full.Comparisons[0], cost] })[2];
        said.Kind.ShouldBe(FindingKind.Bad);
        said.Text.ShouldContain("greedy answers worse, −3.6 points (−7.0 to −1.0); sampled answers better");
    }

    [Fact]
    public void Without_teacher_and_base_there_is_no_way_to_have_gone()
    {
        var alone = Full with { Evaluations = [.. Full.Evaluations.Where(row => row.Model is not ("teacher" or "base"))] };
        Lessons.Of(alone)[0].Text.ShouldBe("Distillation: of 500 held-out problems the student solves 80.2 % (76.5–83.5).");
    }

    [Fact]
    public void A_file_that_is_not_the_model_is_said_to_be_none()
    {
        Lessons.Of(Full with { Parity = Full.Parity! with { Passed = false } })[^1].ShouldBe(
            new Finding(FindingKind.Bad, "Exported file: it is NOT the trained model, so it is not to be used."));
        Lessons.Of(Full with { OnnxGreedyAnswersEqual = new AnswerEquality(false, 500, 481) })[^1].Text
            .ShouldBe("Exported file: answers 19 of 500 test problems and twins differently than the trained model.");
    }

    private static Interval Recovered() => Lessons.Recovered(Full, new ReportModels(Full), "onnx")!.Interval95;
}
