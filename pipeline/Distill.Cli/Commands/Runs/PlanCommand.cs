using System.CommandLine;
using System.Globalization;
using Distill.Cli.Output;
using Distill.Cli.Parsing;
using Distill.Pipeline.Runs;

namespace Distill.Cli.Commands.Runs;

/// <summary><c>distill plan</c>: what <c>run</c> would do, without doing it.</summary>
internal sealed class PlanCommand : DistillCommand
{
    private readonly RunArguments arguments;

    public PlanCommand()
        : base("plan", "Shows what a run would do and why, what is finished already, and what it will take: rows, tokens, time, "
            + "disk, memory. Changes nothing; ends with 2 where the machine has too little of something. Times are those that like work "
            + "took on this machine; ~ marks those of similar work, ≈ a first estimate.") =>
            arguments = new(this);

    public override IReadOnlyList<string> Examples =>
        ["distill plan recipes/quickstart.yaml", "distill plan recipes/quickstart.yaml --set sft.epochs=3"];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        var options = arguments.OptionsOf(parsed);
        var plan = PipelineRun.Plan(arguments.RecipeOf(parsed, context), options);
        if (context.IsJson) context.Results.Json(plan);
        else PlanOutput.Show(plan, context.Results);
        plan.RequireRoom();
        return ExitCode.Done;
    }
}

/// <summary>A plan for people: first the numbers, then the reasons, last the sums.</summary>
internal static class PlanOutput
{
    public static void Show(RunPlan plan, ResultWriter results)
    {
        results.Line($"{plan.Name} in {plan.Folder}");
        results.Table(
            ["stage", "decision", "rows", "tokens", "time", "disk", "memory"], plan.Stages.Select(Numbers).Append(Sum(plan)), words: 2);
        results.Line();
        results.Table(["stage", "why", "work"], plan.Stages.Select(stage => (string[])[stage.Name, stage.Reason, stage.Work]), words: 3);
        results.Line();
        if (Time(plan) is { } time) results.Line($"time: {time}");
        results.Line($"disk: {Readable.Size(plan.DiskBytes)}"
            + (plan.FreeDiskBytes is { } free ? $" at most, {Readable.Size(free)} are free" : ""));
        if (plan.MemoryBytes is { } memory)
            results.Line($"memory: up to {Readable.Memory(memory)}"
                + (plan.MemoryLimitBytes is { } limit ? $" of {Readable.Memory(limit)}" : ""));
        if (plan.Cost is { } cost)
            results.Line(string.Create(CultureInfo.InvariantCulture, $"cost: about {cost:N2}, in the currency of the recipe's prices"));
        foreach (var (what, where) in plan.Devices) results.Line($"{what}: {where}");
        foreach (string note in plan.Notes) results.Line($"! {note}");
    }

    /// <summary>The time of a whole run and what it rests on; null where nothing is to be done.</summary>
    public static string? Time(RunPlan plan) => plan.Basis is not { } basis ? null
        : $"about {Readable.Duration(plan.Time)}, " + basis switch
        {
            "measured" => "as measured on this machine",
            "similar" => "from similar work on this machine (~)",
            _ => "in part a first estimate that may be wrong by some times (≈): nothing like it was measured on this machine",
        };

    private static string[] Numbers(PlannedStage stage) =>
    [
        stage.Name, Word(stage.Decision), stage.Rows is { } rows ? Readable.Count(rows) : "",
        stage.Tokens is { } tokens ? Readable.Count(tokens) : "", TimeOf(stage), stage.DiskBytes is { } bytes ? Readable.Size(bytes) : "",
        Memory(stage),
    ];

    private static string[] Sum(RunPlan plan) =>
    [
        "all", "", "", plan.Tokens > 0 ? Readable.Count(plan.Tokens) : "",
        plan.Basis is { } basis ? Mark(basis) + Readable.Duration(plan.Time) : "", Readable.Size(plan.DiskBytes),
        Readable.Memory(plan.MemoryBytes),
    ];

    private static string TimeOf(PlannedStage stage) => stage is { Seconds: { } seconds, Basis: { } basis }
        ? Mark(basis) + Readable.Duration(TimeSpan.FromSeconds(seconds)) : "";

    private static string Mark(string basis) => basis switch
    {
        "measured" => "",
        "similar" => "~",
        _ => "≈",
    };

    private static string Memory(PlannedStage stage) => string.Join(", ", ((string[])
        [Readable.Memory(stage.MemoryBytes), stage.CardMemoryBytes is { } card ? $"{Readable.Memory(card)} of the card" : ""])
        .Where(text => text.Length > 0));

    private static string Word(StageDecision decision) => decision switch
    {
        StageDecision.Run => "run",
        StageDecision.Cached => "cached",
        StageDecision.Skipped => "skipped",
        StageDecision.Depends => "depends",
        _ => throw new ArgumentOutOfRangeException(nameof(decision), decision, "Unknown decision."),
    };
}
