using System.CommandLine;
using Distill.Cli.Parsing;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;

namespace Distill.Cli.Commands;

/// <summary><c>distill generate</c>: the dataset-generation job alone.</summary>
internal sealed class GenerateCommand : DistillCommand
{
    private const string NameSuffix = "-data";
    private const int LongestName = 64;
    private readonly RunArguments arguments;

    public GenerateCommand()
        : base("generate", "Makes the recipe's data set and nothing else: problems, teacher traces, curated traces (Parquet). Default name: the recipe's with -data.") =>
        arguments = new(this, choosesStages: false);

    public override IReadOnlyList<string> Examples =>
    [
        "distill generate recipes/quickstart.yaml",
        "distill generate recipes/quickstart.yaml --name words-only --set 'problems.families=[{ name: words, level: 2 }]'",
    ];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        var options = arguments.OptionsOf(parsed);
        var recipe = arguments.RecipeOf(parsed);
        options = options with { Name = options.Name ?? DefaultName(recipe), Until = StageNames.Curated };
        // 'resume' would go on to the training; the same words continue the data set.
        context.Continuation = context.CommandLine;
        return RunExecution.Execute(recipe, options, context);
    }

    private static string DefaultName(Recipe recipe) =>
        recipe.Name[..Math.Min(recipe.Name.Length, LongestName - NameSuffix.Length)] + NameSuffix;
}
