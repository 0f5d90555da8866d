using System.CommandLine;
using Distill.Pipeline.Recipes;
using Distill.Service.Schedules;

namespace Distill.Cli.Commands;

/// <summary><c>distill schema</c>.</summary>
internal sealed class SchemaCommand : DistillCommand
{
    private readonly Option<bool> schedules = new("--schedules") { Description = "That of files with schedules." };

    public SchemaCommand()
        : base("schema",
            "Prints the JSON Schema of recipes, or of files with schedules, with which an editor completes and checks them.") =>
            Options.Add(schedules);

    public override IReadOnlyList<string> Examples =>
        ["distill schema > recipe.schema.json", "distill schema --schedules > schedules.schema.json"];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        // JSON already, whoever reads it.
        context.Streams.Out.Write(parsed.GetValue(schedules) ? ScheduleFile.Schema() : RecipeSchema.Write());
        return ExitCode.Done;
    }
}
