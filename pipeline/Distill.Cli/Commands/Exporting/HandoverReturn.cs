using System.CommandLine;
using System.Text.Json;
using Distill.Cli.Models;
using Distill.Cli.Parsing;
using Distill.Pipeline.Handovers;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;

namespace Distill.Cli.Commands.Exporting;

/// <summary>
/// <c>distill export CHECKPOINT --handover DIR</c>: what another trainer made of a training that was handed over. The run that handed it
/// over is run on under another name, with what came back in the place of that training. Adds its options to the command it is made for.
/// </summary>
internal sealed class HandoverReturn
{
    private readonly Option<string> handover = new("--handover")
    {
        HelpName = "DIR",
        Description = "CHECKPOINT is what another trainer made of this hand-over: go on with its run (export, parity, evaluation, report).",
    };

    private readonly Option<string[]> set = RunArguments.SetOption();
    private readonly Option<string> runs = RunArguments.RunsOption();

    public HandoverReturn(Command command)
    {
        foreach (var option in (Option[])[handover, set, runs]) command.Options.Add(option);
    }

    public bool IsAsked(ParseResult parsed) => parsed.GetValue(handover) is not null;

    /// <exception cref="UsageException">--set was given without --handover.</exception>
    public void RequireUnused(ParseResult parsed)
    {
        if (parsed.GetValue(set) is { Length: > 0 })
            throw new UsageException("--set changes a recipe, and there is none.", "Give --handover.");
    }

    /// <param name="name">Of the run that goes on; null: RUN-back.</param>
    /// <param name="others">Options that mean nothing here.</param>
    public int Execute(string checkpoint, string? name, IEnumerable<Option> others, ParseResult parsed, CommandContext context)
    {
        string[] misplaced = [.. others.Where(option => parsed.GetResult(option) is { Implicit: false }).Select(option => option.Name)];
        if (misplaced.Length > 0)
            throw new UsageException(
                $"{string.Join(" and ", misplaced)} and --handover exclude each other.",
                "The recipe of the run says how it is exported; --set export.precision=int4 changes it. The model lies in the run.");
        string handed = parsed.GetRequiredValue(handover);
        var record = HandoverRecord.Open(handed);
        string folder = parsed.GetRequiredValue(runs), back = name ?? $"{record.Run}-back";
        if (!RunName.IsValid(back)) throw new UsageException($"--name '{back}' cannot be a run's name.", $"{RunName.Rule}.");
        string[] changes =
        [
            $"returned.checkpoint={JsonSerializer.Serialize(Path.GetFullPath(checkpoint))}",
            $"returned.handover={JsonSerializer.Serialize(Path.GetFullPath(handed))}", $"returned.stage={record.Stage}",
            .. parsed.GetValue(set) ?? [],
        ];
        using var hub = new HubAccess(context);
        var recipe = RunArguments.Load<DistillationRecipe>(RunCatalogue.Require(folder, record.Run).RecipePath, changes, hub);
        return RunExecution.Execute(recipe, new RunOptions { RunsFolder = folder, Name = back }, context);
    }
}
