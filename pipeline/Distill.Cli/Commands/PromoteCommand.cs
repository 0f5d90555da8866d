using System.CommandLine;
using System.Text.Json;
using Distill.Cli.Output;
using Distill.Cli.Parsing;
using Distill.Cli.Progress;
using Distill.Pipeline.Diagnosis;
using Distill.Pipeline.Promotions;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Runs;

namespace Distill.Cli.Commands;

/// <summary><c>distill promote</c>: a finished run's model in the place of the one that applications load, or back again.</summary>
internal sealed class PromoteCommand : DistillCommand
{
    private const string ModelLink = "model";

    private readonly Argument<string?> run = new("RUN")
    {
        Description = "Name of a finished run, its folder, or its model folder.", Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<string> to = new("--to")
        { HelpName = "PLACE", Description = "The link or folder that applications load. Default: promote.to of the run's recipe." };

    private readonly Option<string[]> set = RunArguments.SetOption();
    private readonly Option<bool> back = new("--back") { Description = "Take out the version in place and show the one before it." };
    private readonly Option<bool> again = new("--again") { Description = "Also where the model was taken out by --back before." };
    private readonly Option<string> runs = RunArguments.RunsOption();

    public PromoteCommand()
        : base("promote", "Puts the model of a finished run in the place that applications load, if parity passed and held-out problems "
            + "show that it is not worse than the one there. Exit code 3 when they do not.")
    {
        Arguments.Add(run);
        set.Description = "Change one value of promote, e.g. --set margin=0.02; may be repeated.";
        foreach (var option in (Option[])[to, set, back, again, runs]) Options.Add(option);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "distill promote quickstart --to models/mine", "distill promote quickstart --set require=better",
        "distill promote --back --to models/mine",
    ];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        if (parsed.GetValue(run) is not { } word)
        {
            if (!parsed.GetValue(back) || parsed.GetValue(to) is not { } alone)
                throw new UsageException("There is nothing to promote.", "Name a run; with --back, name a run or give --to.");
            return Back(new PromotionSection { To = Path.GetFullPath(alone), As = KindOf(alone) }, context);
        }

        var (folder, name) = RunReference.Read(FolderOf(word), parsed.GetRequiredValue(runs));
        var rules = RulesOf(folder, name, parsed.GetValue(to), parsed.GetValue(set) ?? []);
        if (parsed.GetValue(back))
            return Back(rules ?? throw new UsageException($"The recipe of '{name}' names no place.", "Give --to."), context);
        MachineDiagnosis.RequireTorch();
        IRunObserver observer = context.IsJson ? new JsonRunObserver(context.Results, context.Clock)
            : new ConsoleRunObserver(context.Progress, context.Clock);
        var report = PromotionOrder.Run(folder, name, rules, parsed.GetValue(again), observer, context.Clock, context.Cancellation);
        context.Progress.End();
        if (context.IsJson) context.Results.Json(new { @event = "promotion", report });
        PromotionOutput.Show(report, context.Results);
        PromotionOutput.ThrowIfRefused(report);
        return ExitCode.Done;
    }

    private static int Back(PromotionSection rules, CommandContext context)
    {
        using var place = PromotionPlace.Open(
            rules.To, rules.As, $"promote --back, process {Environment.ProcessId}",
            owner => context.Progress.Line($"Waiting: {owner} is promoting to '{rules.To}'."), context.Cancellation);
        var (from, shown) = place.Back();
        var version = place.Read(shown);
        if (context.IsJson) context.Results.Json(new { place = place.Path, from, to = shown, version.Run, version.Promoted });
        string made = $"run {version.Run}, {version.Promoted.ToLocalTime():yyyy-MM-dd HH:mm}";
        context.Results.Line($"{place.Path} shows version {shown} again ({made}).");
        context.Results.Line($"Version {from} is not promoted again by itself; 'distill promote RUN --again' does it.");
        return ExitCode.Done;
    }

    // What is there says what it is.
    private static PlaceKind KindOf(string place) =>
        new DirectoryInfo(Path.TrimEndingDirectorySeparator(place)).LinkTarget is null && Directory.Exists(place)
            ? PlaceKind.Folder : PlaceKind.Link;

    /// <returns>Null where neither the recipe nor the words say where to.</returns>
    private static PromotionSection? RulesOf(string folder, string name, string? place, IEnumerable<string> words)
    {
        string recipe = RunCatalogue.Require(folder, name).RecipePath;
        List<string> overrides = [.. words.Select(word => $"promote.{word}")];
        if (place is not null) overrides.Insert(0, $"promote.to={JsonSerializer.Serialize(Path.GetFullPath(place))}");
        return RecipeFile.Load<DistillationRecipe>(recipe, overrides).Promote;
    }

    // runs/mine/model means the run that made it.
    private static string FolderOf(string word)
    {
        string path = Path.TrimEndingDirectorySeparator(word);
        return Path.GetFileName(path) == ModelLink && Path.GetDirectoryName(path) is { Length: > 0 } parent ? parent : path;
    }
}

/// <summary>What became of a promotion, in words.</summary>
internal static class PromotionOutput
{
    public static void Show(PromotionReport report, ResultWriter results)
    {
        results.Table(["check", "verdict", "found"], report.Checks.Select(check =>
            (string[])[check.Name, check.Passed ? "pass" : "fail", check.Text]), words: 3);
        foreach (string note in report.Notes) results.Line(note);
        if (report.Outcome == PromotionOutcome.Promoted) results.Line($"promotion {report.Sentence}");
    }

    /// <exception cref="GateFailedException">It was not promoted.</exception>
    public static void ThrowIfRefused(PromotionReport report)
    {
        if (report.Outcome == PromotionOutcome.Promoted) return;
        throw new GateFailedException($"The model was {report.Sentence}.")
        {
            Remedy = "What is in place stays there; the run itself is finished, and its report has the figures.",
        };
    }
}
