using System.CommandLine;
using Distill.Cli.Parsing;

namespace Distill.Cli.Commands;

/// <summary><c>distill run</c>: a recipe from its problems to the proven ONNX folder.</summary>
internal sealed class RunCommand : DistillCommand
{
    private readonly RunArguments arguments;

    public RunCommand()
        : base("run", "Runs a recipe: what is finished already is taken as it is, the rest is done, and a report is written.") =>
            arguments = new(this);

    public override IReadOnlyList<string> Examples =>
    [
        "distill run recipes/quickstart.yaml",
        "distill run recipes/quickstart.yaml --name more-epochs --set sft.epochs=3",
        "distill run recipes/quickstart.yaml --force parity",
    ];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        var options = arguments.OptionsOf(parsed);
        return RunExecution.Execute(arguments.RecipeOf(parsed), options, context);
    }
}
