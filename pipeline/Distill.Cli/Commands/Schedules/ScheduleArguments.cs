using System.CommandLine;
using Distill.Cli.Parsing;
using Distill.Pipeline.Recipes;
using Distill.Service.Occurrences;
using Distill.Service.Running;
using Distill.Service.Schedules;

namespace Distill.Cli.Commands.Schedules;

/// <summary>The words that the commands of schedules share. Adds itself to the command it is made for.</summary>
internal sealed class ScheduleArguments
{
    private readonly Argument<string> name = new("NAME") { Description = "Name of the schedule; 'distill schedule ls' lists them." };
    private readonly Option<string> runs = RunArguments.RunsOption();

    private readonly Option<string> schedules = new("--schedules")
    {
        HelpName = "FILE", Description = $"File with the schedules (YAML). Default {ScheduleFile.UsualName}.",
        DefaultValueFactory = _ => ScheduleFile.UsualName,
    };

    public ScheduleArguments(Command command, bool namesOne)
    {
        if (namesOne) command.Arguments.Add(name);
        command.Options.Add(schedules);
        command.Options.Add(runs);
    }

    public string FileOf(ParseResult parsed) => parsed.GetRequiredValue(schedules);

    public string RunsOf(ParseResult parsed) => parsed.GetRequiredValue(runs);

    public OccurrenceStore StoreOf(ParseResult parsed) => new(RunsOf(parsed));

    /// <exception cref="InvalidRecipeException">The file cannot be read or is wrong.</exception>
    /// <exception cref="UsageException">It has no such schedule.</exception>
    public ScheduleSection ScheduleOf(ParseResult parsed, ScheduleDocument document)
    {
        string wanted = parsed.GetRequiredValue(name);
        return document.Schedules.FirstOrDefault(schedule => schedule.Name == wanted)
            ?? throw new UsageException($"There is no schedule '{wanted}' in {FileOf(parsed)}.",
                Suggestion.Remedy(wanted, [.. document.Schedules.Select(schedule => schedule.Name)]));
    }

    /// <summary>This program, for runs that it starts.</summary>
    /// <param name="withheld">Variables with secrets that are no run's business.</param>
    public static IDistillProgram Program(CommandContext context, IReadOnlyCollection<string> withheld) =>
        new DistillProgram(DistillProgram.OfThisProcess(), withheld, context.Clock);
}
