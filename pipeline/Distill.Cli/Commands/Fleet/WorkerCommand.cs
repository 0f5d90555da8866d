using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Distill.Cli.Models;
using Distill.Generation;
using Distill.Pipeline.Graph;
using Distill.Service.Fleet;
using Distill.Service.Hosting;
using Distill.Service.Running;

namespace Distill.Cli.Commands.Fleet;

/// <summary><c>distill worker</c>: does what runs with <c>--fleet</c> hand out.</summary>
internal sealed class WorkerCommand : DistillCommand
{
    private const string CardsVariable = "CUDA_VISIBLE_DEVICES";

    private readonly Option<string> queues = new("--queues")
    {
        HelpName = "LIST",
        Description = "What work it takes: cpu, gpu (whatever runs or trains a model), or both, separated by commas. Default cpu,gpu.",
        DefaultValueFactory = _ => string.Join(',', QueueNames.All),
    };

    private readonly Option<string> store = new("--store")
    {
        HelpName = "DIR", Description = "Folder of runs that all workers see, e.g. /mnt/shared/runs. Default runs.",
        DefaultValueFactory = _ => "runs",
    };

    private readonly Option<string?> device = new("--device")
    {
        HelpName = "cpu|cuda:N",
        Description = "The one card that it uses, so that a machine has a worker for each; cpu hides all of them. Default: as runs say.",
    };

    // How a worker starts the process that does its work.
    private readonly Option<string?> hands = new("--hands") { HelpName = "NAME", Hidden = true };

    public WorkerCommand()
        : base("worker", "Takes pieces of the runs that were started with --fleet, on as many machines as there are, one worker for each "
            + $"device. The queue is in PostgreSQL: {ServiceOptions.PostgresVariable} holds the connection string. Ctrl-C or SIGTERM "
            + "ends it within 10 s; what was at work goes to others. Whatever dies, nothing that was made is lost (docs/many-machines.md).")
    {
        foreach (var option in (Option[])[queues, store, device, hands]) Options.Add(option);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "distill worker --store /mnt/shared/runs",
        "distill worker --queues gpu --device cuda:1 --store /mnt/shared/runs",
    ];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        string folder = parsed.GetRequiredValue(store);
        if (parsed.GetValue(hands) is { } name)
        {
            Work(folder, name, context);
            return ExitCode.Done;
        }

        var options = new WorkerOptions
        {
            Store = folder, Queues = QueuesOf(parsed.GetRequiredValue(queues)), Device = DeviceOf(parsed.GetValue(device)),
            Postgres = FleetArguments.Postgres(),
        };
        using var hub = new HubAccess(context);
        var service = new WorkerService(options, run => SharedRun.Open(folder, run, hub, context.Clock), context.Clock, Say);
        service.RunAsync(HandsOf, note => Started(note, context), context.Cancellation).GetAwaiter().GetResult();
        if (context.IsJson) context.Results.Json(new { @event = "stopped" });
        context.Results.Line("Stopped. What was at work goes to others.");
        return ExitCode.Done;

        void Say(string message)
        {
            if (context.IsJson) context.Results.Json(new { @event = "note", message });
            else context.Progress.Line(message);
        }

        HandsProcess HandsOf(string worker) => new(
            [.. DistillProgram.OfThisProcess(), "worker", "--hands", worker, "--store", folder], EnvironmentOf(options.Device), Say,
            context.Clock);
    }

    private static void Work(string folder, string name, CommandContext context)
    {
        using var hub = new HubAccess(context);
        using var maker = new WorkMaker(
            new FleetFolder(folder), run => SharedRun.Open(folder, run, hub, context.Clock), name, context.Clock);
        new Hands(maker, context.Streams.Out.WriteLine, context.Clock).Run(context.Streams.In, End, context.Cancellation);

        static void End() => Process.GetCurrentProcess().Kill();
    }

    private static void Started(WorkerNote note, CommandContext context)
    {
        if (context.IsJson) context.Results.Json(new { @event = "started", worker = note.Name, note.Queues, note.Device });
        context.Results.Line($"Worker {note.Name} takes {string.Join(" and ", note.Queues)} work. Ctrl-C stops it.");
        context.Streams.Out.Flush();
    }

    // What does the work has no business with the queue.
    private static Dictionary<string, string?> EnvironmentOf(string? device)
    {
        var environment = new Dictionary<string, string?> { [ServiceOptions.PostgresVariable] = null };
        if (device is not null) environment[CardsVariable] = CardsOf(device);
        return environment;
    }

    private static string CardsOf(string device) => ComputeDevice.Parse(device) is { IsCuda: true } card
        ? card.Card.ToString(CultureInfo.InvariantCulture) : "-1";

    private static string? DeviceOf(string? word) => word is null or "cpu" || (word.StartsWith("cuda:", StringComparison.Ordinal)
        && ComputeDevice.Parse(word) is not null) ? word
        : throw new UsageException($"--device '{word}' is no device of a worker.", "Write cpu, or cuda:N for one card.");

    private static IReadOnlyList<string> QueuesOf(string text)
    {
        string[] words = text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return words.Length > 0 && words.All(QueueNames.All.Contains) ? [.. words.Distinct().Order(StringComparer.Ordinal)]
            : throw new UsageException($"--queues '{text}' names no queue.", $"Give {string.Join(", ", QueueNames.All)}, or both.");
    }
}
