using System.CommandLine;
using Distill.Cli.Output;
using Distill.Cli.Parsing;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Store;

namespace Distill.Cli.Commands.Runs;

/// <summary><c>distill runs diff</c>.</summary>
internal sealed class RunsDiffCommand : DistillCommand
{
    private readonly Argument<string> first = new("A")
    {
        Description = "Name of a run, or its folder; several of one recipe, parted by commas.",
    };

    private readonly Argument<string> second = new("B") { Description = "The run to compare with it; as many or more of another recipe." };
    private readonly Option<string> runs = RunArguments.RunsOption();

    public RunsDiffCommand()
        : base("diff", "Shows what differs between two runs: values of their recipes, artefacts, and results, with paired tests over the "
            + "problems that both were asked. Runs parted by commas, three of each recipe or more, are compared over seeds too.")
    {
        Arguments.Add(first);
        Arguments.Add(second);
        Options.Add(runs);
    }

    public override IReadOnlyList<string> Examples =>
        ["distill runs diff quickstart more-epochs", "distill runs diff seed-1 seed-2 --json", "distill runs diff a-1,a-2,a-3 b-1,b-2,b-3"];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        string folder = parsed.GetRequiredValue(runs);
        string[] left = parsed.GetRequiredValue(first).Split(','), right = parsed.GetRequiredValue(second).Split(',');
        if (left.Length + right.Length > 2) return ShowGroups(left, right, folder, context);
        var before = RunReference.Read(parsed.GetRequiredValue(first), folder);
        var difference = RunDifference.Of(before, RunReference.Read(parsed.GetRequiredValue(second), folder), context.Clock);
        if (context.IsJson) context.Results.Json(difference);
        ShowRecipe(difference, context.Results);
        ShowStages(difference, context.Results);
        ShowResults(difference, context.Results);
        return ExitCode.Done;
    }

    private static int ShowGroups(string[] left, string[] right, string folder, CommandContext context)
    {
        var difference = RunGroupDifference.Of(
            [.. left.Select(run => RunReference.Read(run, folder))], [.. right.Select(run => RunReference.Read(run, folder))]);
        if (context.IsJson) context.Results.Json(difference);
        int n = difference.Problems;
        context.Results.Table(["model", "answers", "A, run by run", "B, run by run", "points", "95 %", "p"],
            difference.Results.Select(result => (string[])
            [
                result.Model, result.Measure, Shares(result.Before, n), Shares(result.After, n),
                ReportNumbers.Points(result.Found.Difference, n), ReportNumbers.PointsRange(result.Found.Interval95, n),
                ReportNumbers.P(result.Found.P),
            ]), words: 2);
        context.Results.Line($"Points: B − A over {n:N0} problems, means of {left.Length:N0} and {right.Length:N0} runs. Over problems by "
            + "paired bootstrap and over seeds by Student's t: the wider interval, the larger p.");
        return ExitCode.Done;
    }

    private static string Shares(IReadOnlyList<double> shares, int problems) =>
        string.Join(" · ", shares.Select(share => ReportNumbers.Percent(share, problems)));

    private static void ShowRecipe(RunDifference difference, ResultWriter results)
    {
        if (difference.Recipe.Count == 0) results.Line("Their recipes are the same.");
        else
            results.Table(["recipe", difference.Before, difference.After], difference.Recipe.Select(value => (string[])
                [value.Path, value.Before ?? Readable.None, value.After ?? Readable.None]), words: 3);
        string[] seeds = [.. difference.Recipe.Where(value => value.IsSeed).Select(value => value.Path)];
        results.Line(seeds.Length == 0 ? "No seed differs."
            : $"Seeds that differ: {string.Join(", ", seeds)}."
                + (difference.EqualSeeds.Count > 0 ? $" The same: {string.Join(", ", difference.EqualSeeds)}." : ""));
    }

    private static void ShowStages(RunDifference difference, ResultWriter results)
    {
        results.Line();
        if (difference.Stages.Count > 0)
            results.Table(["artefact", difference.Before, difference.After, "why"], difference.Stages.Select(stage => (string[])
            [
                stage.Stage, Short(stage.Before), Short(stage.After), stage.Reason + (stage.IsSameContent ? "; the same came out" : ""),
            ]), words: 4);
        results.Line($"{difference.EqualStages:N0} stages have the same artefact"
            + (difference.Stages.Count == 0 ? ", and no other is there." : "."));
    }

    private static void ShowResults(RunDifference difference, ResultWriter results)
    {
        results.Line();
        var rows = difference.Results.SelectMany(Rows).ToList();
        if (rows.Count > 0)
        {
            results.Table(["model", "answers", difference.Before, difference.After, "points", "95 %", "p", "problems"], rows, words: 2);
            results.Line($"Points: {difference.After} − {difference.Before} over the problems that both were asked. p: greedy by "
                + $"McNemar's exact test, "
                + "sampled by paired bootstrap.");
        }
        else results.Line("No model was evaluated in both.");

        if (difference.NotCompared.Count > 0)
            results.Line($"Not compared, for want of answers in both: {string.Join(", ", difference.NotCompared)}.");
        foreach (var group in difference.Results.Where(result => result.Answers is not { OnlyBefore: 0, OnlyAfter: 0 })
            .GroupBy(result => (result.Answers.OnlyBefore, result.Answers.OnlyAfter)))
            results.Line($"Left out of {string.Join(", ", group.Select(result => result.Model))}: {group.Key.OnlyBefore:N0} problems that "
                + $"only "
                + $"{difference.Before} asked, {group.Key.OnlyAfter:N0} that only {difference.After} asked.");
    }

    private static IEnumerable<string[]> Rows(ModelDifference result)
    {
        var answers = result.Answers;
        foreach (var (measure, found) in ((string, MeasureDifference?)[])[("greedy", answers.Greedy), ("sampled", answers.Sampled)])
        {
            if (found is not { Problems: var n }) continue;
            yield return
            [
                result.Model, measure, ReportNumbers.Percent(found.Before, n), ReportNumbers.Percent(found.After, n),
                ReportNumbers.Points(found.Difference, n), ReportNumbers.PointsRange(found.Interval95, n), ReportNumbers.P(found.P),
                $"{n:N0}",
            ];
        }
    }

    private static string Short(string? digest) => digest?[..CataloguedArtifact.ShortLength] ?? Readable.None;
}
