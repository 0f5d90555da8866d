using System.CommandLine;
using Distill.Cli.Output;
using Distill.Cli.Parsing;
using Distill.Pipeline.Runs;

namespace Distill.Cli.Commands;

/// <summary><c>distill plan</c>: what <c>run</c> would do, without doing it.</summary>
internal sealed class PlanCommand : DistillCommand
{
    private readonly RunArguments arguments;

    public PlanCommand()
        : base("plan", "Shows what a run would do, what is finished already, why, and how much work remains. Changes nothing.") =>
            arguments = new(this);

    public override IReadOnlyList<string> Examples =>
        ["distill plan recipes/quickstart.yaml", "distill plan recipes/quickstart.yaml --set sft.epochs=3"];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        var options = arguments.OptionsOf(parsed);
        var plan = PipelineRun.Plan(arguments.RecipeOf(parsed), options);
        if (context.IsJson) context.Results.Json(plan);
        context.Results.Line($"{plan.Name} in {plan.Folder}");
        context.Results.Table(["stage", "decision", "reason", "work", "memory"], plan.Stages.Select(Row), words: 4);
        return ExitCode.Done;
    }

    private static string[] Row(PlannedStage stage) =>
        [stage.Name, Word(stage.Decision), stage.Reason, stage.Work, Readable.Memory(stage.MemoryBytes)];

    private static string Word(StageDecision decision) => decision switch
    {
        StageDecision.Run => "run",
        StageDecision.Cached => "cached",
        StageDecision.Skipped => "skipped",
        StageDecision.Depends => "depends",
        _ => throw new ArgumentOutOfRangeException(nameof(decision), decision, "Unknown decision."),
    };
}
