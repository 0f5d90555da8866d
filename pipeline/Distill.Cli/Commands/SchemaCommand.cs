using System.CommandLine;
using Distill.Pipeline.Recipes;

namespace Distill.Cli.Commands;

/// <summary><c>distill schema</c>.</summary>
internal sealed class SchemaCommand()
    : DistillCommand("schema", "Prints the JSON Schema of recipes, with which an editor completes and checks them.")
{
    public override IReadOnlyList<string> Examples => ["distill schema > recipe.schema.json"];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        context.Streams.Out.Write(RecipeSchema.Write()); // JSON already, whoever reads it
        return ExitCode.Done;
    }
}
