using System.CommandLine;
using Distill.Cli.Models;
using Distill.Cli.Parsing;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;

namespace Distill.Cli.Commands;

/// <summary><c>distill pretrain</c>: a small model from nothing.</summary>
internal sealed class PretrainCommand : DistillCommand
{
    private readonly Argument<string> recipe = RunArguments.RecipeArgument();
    private readonly Option<string[]> set = RunArguments.SetOption();
    private readonly Option<string?> device = DeviceOption.OfRecipe();
    private readonly Option<string> runs = RunArguments.RunsOption();

    public PretrainCommand()
        : base("pretrain", "Trains a small model from nothing: tokenizer, decoder, model folder (a recipe of kind: pretrain). "
            + "An interrupted one continues exactly.")
    {
        Arguments.Add(recipe);
        Options.Add(set);
        Options.Add(device);
        Options.Add(runs);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "distill pretrain recipes/tiny-base.yaml",
        "distill pretrain recipes/tiny-base.yaml --set training.steps=100 --set output=/tmp/tiny",
    ];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        using var hub = new HubAccess(context);
        var plan = RunArguments.Load<PretrainRecipe>(parsed.GetRequiredValue(recipe), RunArguments.Changes(parsed, set, device), hub);
        OutputPlace.RequireFolder("output", plan.Output);
        return RunExecution.Execute(plan, new RunOptions { RunsFolder = parsed.GetRequiredValue(runs) }, context);
    }
}
