using System.CommandLine;
using Distill.Cli.Models;
using Distill.Cli.Parsing;
using Distill.Pipeline.Handovers;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;

namespace Distill.Cli.Commands.Handovers;

/// <summary><c>distill handover</c>: a training of a run for another trainer. Trains and sends nothing.</summary>
internal sealed class HandoverCommand : DistillCommand
{
    private readonly Argument<string> run = RunReference.Argument();
    private readonly Option<string> to = CommandOptions.Word("--to", "The trainer.", [.. Trainers.All.Select(trainer => trainer.Name)]);
    private readonly Option<string> stage = CommandOptions.Word(
        "--stage", "The training that it is to do. Default: the last of the recipe.", HandedTraining.Stages);

    private readonly Option<string> output =
        new("--out") { HelpName = "DIR", Description = "Folder to make. Default: RUN-TRAINER-STAGE, in this folder." };

    private readonly Option<string[]> set = RunArguments.SetOption();
    private readonly Option<bool> accept = new("--accept-differences")
        { Description = "Hand over also where an option has no counterpart there; the folder's README lists them." };

    private readonly Option<bool> force = new("--force") { Description = "Replace a hand-over in DIR." };
    private readonly Option<string> runs = RunArguments.RunsOption();

    public HandoverCommand()
        : base("handover", "Writes a training of a run for another trainer, e.g. for many machines: checkpoint, data, rewards, "
            + "configuration and scripts, every option translated. 'distill export FOLDER --handover DIR' takes back what comes out.")
    {
        Arguments.Add(run);
        to.Required = true;
        foreach (var option in (Option[])[to, stage, output, set, accept, force, runs]) Options.Add(option);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "distill handover quickstart --to trl --stage sft",
        "distill handover quickstart --to trl --stage rl --set rl.steps=500 --out handed/rl",
        "distill handover quickstart --to prime-rl --stage rl --set rl.advantage=none --set rl.mask_truncated=false",
    ];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        var (folder, name) = RunReference.Read(parsed.GetRequiredValue(run), parsed.GetRequiredValue(runs));
        var found = RunCatalogue.Require(folder, name);
        var recipe = RecipeFile.Load<DistillationRecipe>(found.RecipePath, parsed.GetValue(set));
        var trainer = Trainers.All.Single(one => one.Name == parsed.GetRequiredValue(to));
        string? training = parsed.GetValue(stage);
        string target = Path.GetFullPath(parsed.GetValue(output) ?? $"{name}-{trainer.Name}-{training ?? "last"}");
        RequireFree(target, parsed.GetValue(force));
        OutputPlace.RequireFolder("--out", target);
        context.Progress.Begin("handover", target);
        var result = Handover.Write(
            found, recipe, training, trainer, target, parsed.GetValue(accept), context.Clock, context.Cancellation);
        context.Progress.End();
        if (context.IsJson) context.Results.Json(result);
        context.Results.Line($"handover {result.Folder}");
        context.Results.Line($"training {result.Stage} of {result.Run}, for {result.Trainer}");
        foreach (var row in result.Differences)
            context.Results.Line($"! {(row.Ours.Length == 0 ? row.Theirs : row.Ours)}: "
                + (row.Match == OptionMatch.Missing ? $"no counterpart; there is: {row.Note}" : row.Note));
        foreach (string line in result.Launch) context.Results.Line($"  {line}");
        return ExitCode.Done;
    }

    private static void RequireFree(string target, bool force)
    {
        if (!Directory.Exists(target) || !Directory.EnumerateFileSystemEntries(target).Any()) return;
        if (!File.Exists(Path.Combine(target, HandoverRecord.FileName)))
            throw new UsageException($"'{target}' holds something else than a hand-over.", "Give another folder with --out DIR.");
        if (!force)
            throw new UsageException(
                $"'{target}' holds a hand-over already.", "Give another folder with --out DIR, or --force to replace it.");
    }
}
