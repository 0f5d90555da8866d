using System.CommandLine;
using Distill.Cli.Parsing;
using Distill.Service.Hosting;
using Distill.Service.Running;

namespace Distill.Cli.Commands.Schedules;

/// <summary><c>distill serve</c>: schedules that run by themselves, and the page that shows them.</summary>
internal sealed class ServeCommand : DistillCommand
{
    private readonly ScheduleArguments arguments;

    private readonly Option<string> host = new("--host")
    {
        HelpName = "ADDRESS",
        Description = "Address to answer at. Default localhost, which only this machine reaches; every other needs --api-key-env.",
        DefaultValueFactory = _ => "localhost",
    };

    private readonly Option<int> port = CommandOptions.Number("--port", "0 takes any free one.", 0, 65_535, 8090);

    private readonly Option<string> keyVariable = new("--api-key-env")
        { HelpName = "VARIABLE",
            Description = "Environment variable with the key of those who may look and act, of at least 16 characters. "
                + "Without it everybody on this machine may look, and a key to act is made in the folder of runs." };

    private readonly Option<string> readKeyVariable = new("--read-key-env")
        { HelpName = "VARIABLE", Description = "Environment variable with the key of those who may only look." };

    public ServeCommand()
        : base("serve", "Runs recipes by their schedules (docs/schedule.md) and shows them on a page. "
            + $"The queue is in memory, or in PostgreSQL where {ServiceOptions.PostgresVariable} holds a connection string. "
            + "Ctrl-C or SIGTERM stops runs at a safe point within 10 s; they go on after the next start.")
    {
        arguments = new(this, namesOne: false);
        foreach (var option in (Option[])[host, port, keyVariable, readKeyVariable]) Options.Add(option);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "distill serve",
        "distill serve --schedules /etc/distill/schedules.yaml --runs /var/lib/distill/runs",
        "DISTILL_KEY=$(openssl rand -hex 24) distill serve --host 0.0.0.0 --api-key-env DISTILL_KEY",
    ];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        var options = new ServiceOptions
        {
            RunsFolder = arguments.RunsOf(parsed), SchedulesFile = arguments.FileOf(parsed),
            Address = ListenAddress.Read(parsed.GetRequiredValue(host)), Port = parsed.GetValue(port),
            Key = Secret(parsed.GetValue(keyVariable)), ReadKey = Secret(parsed.GetValue(readKeyVariable)),
            Postgres = Environment.GetEnvironmentVariable(ServiceOptions.PostgresVariable) is { Length: > 0 } postgres ? postgres : null,
        };
        try
        {
            options.Validate();
        }
        catch (ArgumentException fault)
        {
            throw new UsageException(fault.Message, "--api-key-env and --read-key-env name the environment variables with the keys.");
        }

        string?[] withheld = [parsed.GetValue(keyVariable), parsed.GetValue(readKeyVariable)];
        ServeAsync(options, ScheduleArguments.Program(context, withheld.OfType<string>()), context).GetAwaiter().GetResult();
        return ExitCode.Done;
    }

    private static async Task ServeAsync(ServiceOptions options, IDistillProgram program, CommandContext context)
    {
        await using var service = await ScheduleService.StartAsync(options, program, context.Clock, context.Cancellation);
        if (context.IsJson)
            context.Results.Json(new
            {
                listening = service.Address, schedules = options.SchedulesFile, runs = options.RunsFolder, keyFile = service.KeyFile,
            });
        string key = options.Key is null ? "" : ", with a key", queue = options.Postgres is null ? "in memory" : "in PostgreSQL";
        context.Results.Line($"The schedules of {options.SchedulesFile} run into {options.RunsFolder}; the queue is {queue}.");
        context.Results.Line($"The page is at {service.Address}{key}. Ctrl-C stops it.");
        if (service.KeyFile is { } file) context.Results.Line($"Everybody on this machine may look; to act, one needs the key in {file}.");
        context.Streams.Out.Flush();
        var stopped = Task.Delay(Timeout.Infinite, context.Cancellation).ContinueWith(_ => { }, TaskScheduler.Default);
        var ended = await Task.WhenAny(stopped, service.Looking);
        await service.StopAsync();
        await ended; // a fault that nothing was meant to survive
        if (context.IsJson) context.Results.Json(new { stopped = true });
        context.Results.Line("Stopped. What was at work goes on with the next start.");
    }

    private static string? Secret(string? variable) => variable is null ? null
        : Environment.GetEnvironmentVariable(variable) is { Length: > 0 } key ? key
        : throw new UsageException(
            $"The environment variable '{variable}' is not set.", "Put the key into it; it is never given on the command line.");
}
