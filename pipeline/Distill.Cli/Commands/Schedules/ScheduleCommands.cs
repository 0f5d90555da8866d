using System.CommandLine;
using Distill.Cli.Output;
using Distill.Service.Hosting;
using Distill.Service.Occurrences;
using Distill.Service.Pages;
using Distill.Service.Running;
using Distill.Service.Schedules;
using Distill.Storage;

namespace Distill.Cli.Commands.Schedules;

/// <summary><c>distill schedule ls</c>.</summary>
internal sealed class ScheduleListCommand : DistillCommand
{
    private readonly ScheduleArguments arguments;

    public ScheduleListCommand()
        : base("ls", "Lists the schedules: when each is due next, what it does now, how it ended last. Needs no server.") =>
            arguments = new(this, namesOne: false);

    public override IReadOnlyList<string> Examples =>
        ["distill schedule ls", "distill schedule ls --schedules /etc/distill/schedules.yaml"];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        var (document, store) = (ScheduleFile.Load(arguments.FileOf(parsed)), arguments.StoreOf(parsed));
        var now = context.Clock.GetUtcNow();
        ScheduleStatus[] all = [.. document.Schedules.Select(schedule => ScheduleStatus.Of(schedule, store, now))];
        bool isServed = FileLock.IsHeld(store.ServerLock);
        if (context.IsJson)
            context.Results.Json(new { isServed, schedules = all.Select(ToJson) });
        context.Results.Table(["schedule", "state", "next", "last", "recipe"], all.Select(Row), words: 5);
        if (!isServed) context.Results.Line("No 'distill serve' looks after them: they are not started by themselves.");
        return ExitCode.Done;
    }

    private static object ToJson(ScheduleStatus status) => new
    {
        status.Schedule.Name, status.Schedule.Recipe, status.Schedule.Cron, status.Schedule.TimeZone, status.State, status.Next,
        recent = status.Recent.Select(occurrence => new
        {
            occurrence.Run, occurrence.Due, occurrence.Cause, occurrence.State, occurrence.Reason, attempts = occurrence.Attempts.Count,
        }),
    };

    private static string[] Row(ScheduleStatus status) =>
    [
        status.Schedule.Name, status.State,
        status.Next is { } next ? $"{status.Schedule.Times().WallTime(next):yyyy-MM-dd HH:mm} {status.Schedule.TimeZone}" : Readable.None,
        status.Last is { } last ? $"{last.State.ToString().ToLowerInvariant()} {last.Run}" : Readable.None, status.Schedule.Recipe,
    ];
}

/// <summary><c>distill schedule run</c>.</summary>
internal sealed class ScheduleRunCommand : DistillCommand
{
    private readonly ScheduleArguments arguments;

    public ScheduleRunCommand()
        : base("run", "Runs a schedule once, now: by the server where one looks after the folder, else here. A run of it that waits is "
            + "carried on first.") => arguments = new(this, namesOne: true);

    public override IReadOnlyList<string> Examples => ["distill schedule run nightly"];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        var (book, store) = (new ScheduleBook(arguments.FileOf(parsed)), arguments.StoreOf(parsed));
        var schedule = arguments.ScheduleOf(parsed, book.Document);
        if (FileLock.IsHeld(store.ServerLock))
        {
            var asked = Asked.Make(store, schedule, context.Clock);
            if (context.IsJson) context.Results.Json(new { asked.Run, by = FileLock.OwnerOf(store.ServerLock) });
            context.Results.Line($"{asked.Run} is asked for; the server does it ({FileLock.OwnerOf(store.ServerLock)}).");
            return ExitCode.Done;
        }

        var occurrence = store.List(schedule.Name).FirstOrDefault(one => one.Closed is null) ?? Asked.Make(store, schedule, context.Clock);
        context.Progress.Line($"{occurrence.Run} in {Path.Combine(store.RunsFolder, occurrence.Run)}");
        var program = ScheduleArguments.Program(context, [ServiceOptions.PostgresVariable]);
        var foreground = new ForegroundRun(store, book, program, context.Progress.Line, context.Clock);
        var done = foreground.DoAsync(occurrence, context.Cancellation).GetAwaiter().GetResult();
        if (context.IsJson) context.Results.Json(new { done.Run, done.State, done.Reason, attempts = done.Attempts.Count });
        context.Results.Line($"{done.Run}: {done.State.ToString().ToLowerInvariant()}{(done.Reason is null ? "" : $", {done.Reason}")}");
        return done.State switch
        {
            OccurrenceState.Finished => ExitCode.Done,
            OccurrenceState.Refused => ExitCode.GateFailed,
            _ => ExitCode.Fault,
        };
    }
}

/// <summary><c>distill schedule pause</c> and <c>resume</c>.</summary>
internal sealed class SchedulePauseCommand : DistillCommand
{
    private readonly ScheduleArguments arguments;
    private readonly bool pauses;

    public SchedulePauseCommand(bool pauses)
        : base(pauses ? "pause" : "resume", pauses
            ? "Starts no run of a schedule by itself until it is resumed; what is due meanwhile is not caught up with. Needs no server."
            : "Lets a paused schedule run by itself again. Needs no server.") =>
                (arguments, this.pauses) = (new(this, namesOne: true), pauses);

    public override IReadOnlyList<string> Examples => [$"distill schedule {Name} nightly"];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        var schedule = arguments.ScheduleOf(parsed, ScheduleFile.Load(arguments.FileOf(parsed)));
        bool changed = arguments.StoreOf(parsed).SetPaused(schedule.Name, pauses);
        string word = pauses ? "paused" : "resumed";
        if (context.IsJson) context.Results.Json(new { schedule.Name, paused = pauses, changed });
        context.Results.Line(
            changed ? $"{schedule.Name} is {word}." : $"{schedule.Name} {(pauses ? "was paused already" : "was not paused")}.");
        return ExitCode.Done;
    }
}
