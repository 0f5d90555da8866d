using System.CommandLine;
using Distill.Cli.Parsing;
using Distill.Pipeline.Runs;

namespace Distill.Cli.Commands;

/// <summary><c>distill resume</c>: goes on where a run stopped, with the recipe it was started with.</summary>
internal sealed class ResumeCommand : DistillCommand
{
    private readonly Argument<string> run = RunReference.Argument();
    private readonly Option<string> runs = RunArguments.RunsOption();

    public ResumeCommand()
        : base("resume", "Continues a run exactly where it stopped, with the recipe and the --set values it was started with.")
    {
        Arguments.Add(run);
        Options.Add(runs);
    }

    public override IReadOnlyList<string> Examples => ["distill resume quickstart", "distill resume runs/quickstart"];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        var (folder, name) = RunReference.Read(parsed.GetRequiredValue(run), parsed.GetRequiredValue(runs));
        return RunExecution.Execute(PipelineRun.RecipeOf(folder, name), new RunOptions { RunsFolder = folder, Name = name }, context);
    }
}
