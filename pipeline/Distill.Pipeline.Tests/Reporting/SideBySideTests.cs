using Distill.Data.Problems;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Reporting.Gathering;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Reporting;

/// <summary>Which problems are shown as every model answered them.</summary>
public sealed class SideBySideTests
{
    private static readonly (string Before, string After, string Name)[] Pairs =
        [("preference", "rl", "RL"), ("sft", "preference", "preferences"), ("base", "sft", "steps")];

    [Fact]
    public void The_last_training_is_asked_after_first() =>
        RunReporting.Trainings(StageGraph.For(SmallRun.Parse("preference.problems=32")))
            .Select(training => (training.Before, training.After))
            .ShouldBe(Pairs.Select(pair => (pair.Before, pair.After)));

    [Fact]
    public void What_only_the_teacher_solves_is_shown_however_many_trainings_there_are()
    {
        // One problem that each training taught, one that each lost, and one that only the teacher solves.
        var sheets = new (string Model, string Right)[]
        {
            ("teacher", "abcdefg"), ("base", "b"), ("sft", "ad"), ("preference", "acf"), ("rl", "ace"),
        };
        var chosen = new SideBySide([.. sheets.Select(sheet => (sheet.Model, Sheet(sheet.Right)))]).Choose(
            [.. "abcdefg".Select(name => new Problem($"{name}", "s", "d", Split.Test, 1, "", "", null, ""))],
            Pairs, "rl", "teacher", _ => null);
        chosen.Select(problem => (problem.ProblemId, problem.Why)).ShouldBe(
        [
            ("e", "wrong by preference, right after RL"), ("f", "right by preference, wrong after RL"),
            ("c", "wrong by sft, right after preferences"), ("d", "right by sft, wrong after preferences"),
            ("g", "right by the teacher, still wrong by the student"),
        ]);
    }

    private static IReadOnlyList<SheetAnswer> Sheet(string right) =>
        [.. "abcdefg".Select(name => new SheetAnswer($"{name}", right.Contains(name, StringComparison.Ordinal), null, "", ""))];
}
