using System.CommandLine;
using Distill.Cli.Output;
using Distill.Cli.Parsing;
using Distill.Cli.Watching;
using Distill.Pipeline.Store;
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
        Description = "Address to answer at. Default localhost, which only this machine reaches; every other needs --api-key-env or "
            + "--oidc.",
        DefaultValueFactory = _ => "localhost",
    };

    private readonly Option<int> port = CommandOptions.Number("--port", "0 takes any free one.", 0, 65_535, 8090);

    private readonly Option<string> log = LogOption.Create();
    private readonly AccessArguments access;

    public ServeCommand()
        : base("serve", "Runs recipes by their schedules (docs/schedule.md) and shows them on a page. "
            + $"The queue is in memory, or in PostgreSQL where {ServiceOptions.PostgresVariable} holds a connection string. "
            + "Ctrl-C or SIGTERM stops runs at a safe point within 10 s; they go on after the next start.")
    {
        arguments = new(this, namesOne: false);
        foreach (var option in (Option[])[host, port, log]) Options.Add(option);
        access = new(this);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "distill serve",
        "distill serve --schedules /etc/distill/schedules.yaml --runs /var/lib/distill/runs",
        "DISTILL_KEY=$(openssl rand -hex 24) distill serve --host 0.0.0.0 --api-key-env DISTILL_KEY --certificate page.pem",
        "distill serve --log json --oidc https://login.example.com --oidc-client distill --oidc-operator groups=ml --proxy 127.0.0.1",
    ];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        var options = new ServiceOptions
        {
            RunsFolder = arguments.RunsOf(parsed), SchedulesFile = arguments.FileOf(parsed),
            Address = ListenAddress.Read(parsed.GetRequiredValue(host)), Port = parsed.GetValue(port),
            Key = access.KeyOf(parsed), ReadKey = access.ReadKeyOf(parsed), SignIn = access.SignInOf(parsed),
            Certificate = access.CertificateOf(parsed), Proxies = access.ProxiesOf(parsed), AllowedHosts = access.HostsOf(parsed),
            SecretVariables = [ServiceOptions.PostgresVariable, .. access.VariablesOf(parsed)],
            Postgres = Environment.GetEnvironmentVariable(ServiceOptions.PostgresVariable) is { Length: > 0 } postgres ? postgres : null,
        };
        try
        {
            options.Validate();
        }
        catch (ArgumentException fault)
        {
            throw new UsageException(fault.Message,
                "--api-key-env and --read-key-env name the environment variables with the keys, --oidc a provider.");
        }

        StoreAdmission.Require(
            options.RunsFolder, note => context.Streams.Error.WriteLine(TerminalText.Safe(note)), context.Clock, context.Cancellation);
        using var telemetry = TelemetryExport.Start("serve", run: null);
        var program = ScheduleArguments.Program(context, options.SecretVariables);
        ServeAsync(options, program, parsed.GetValue(log), context).GetAwaiter().GetResult();
        return ExitCode.Done;
    }

    private static async Task ServeAsync(ServiceOptions options, IDistillProgram program, string? form, CommandContext context)
    {
        await using var service = await ScheduleService.StartAsync(options, program, context.Clock, context.Cancellation,
            form is null ? null : scrub => LogOption.Open(form, context, scrub)!);
        if (context.IsJson)
            context.Results.Json(new
            {
                listening = service.Address, schedules = options.SchedulesFile, runs = options.RunsFolder, keyFile = service.KeyFile,
            });
        string key = options.Key is null ? "" : ", with a key", queue = options.Postgres is null ? "in memory" : "in PostgreSQL";
        context.Results.Line($"The schedules of {options.SchedulesFile} run into {options.RunsFolder}; the queue is {queue}.");
        context.Results.Line($"The page is at {service.Address}{key}. Ctrl-C stops it.");
        if (options.SignIn is { } provider) context.Results.Line($"People sign in with {provider.Authority}.");
        if (service.KeyFile is { } file)
            context.Results.Line((options.IsOpenToLook ? "Everybody on this machine may look; to act, one needs the key in "
                : "Programs act with the key in ") + $"{file}.");
        context.Streams.Out.Flush();
        var stopped = Task.Delay(Timeout.Infinite, context.Cancellation).ContinueWith(_ => { }, TaskScheduler.Default);
        var ended = await Task.WhenAny(stopped, service.Looking);
        await service.StopAsync();
        await ended; // a fault that nothing was meant to survive
        if (context.IsJson) context.Results.Json(new { stopped = true });
        context.Results.Line("Stopped. What was at work goes on with the next start.");
    }
}
