using System.CommandLine;
using System.Globalization;
using Distill.Cli.Models;
using Distill.Cli.Output;
using Distill.Cli.Parsing;
using Distill.Generation;
using Distill.Pipeline.Models;
using Distill.Serving;

namespace Distill.Cli.Commands;

/// <summary><c>distill serve-model</c>: a model behind OpenAI's HTTP interface.</summary>
internal sealed class ServeModelCommand : DistillCommand
{
    private const int DefaultPort = 8080, DefaultLength = 4096;

    private readonly Argument<string> model = ModelFolders.Argument("DIR");

    private readonly Option<string> host = new("--host")
    {
        HelpName = "ADDRESS",
        Description = "Address to answer at. Default localhost, which only this machine reaches; every other needs --api-key-env.",
        DefaultValueFactory = _ => "localhost",
    };

    private readonly Option<int> port = CommandOptions.Number("--port", "0 takes any free one.", 0, 65_535, DefaultPort);

    private readonly Option<string> name =
        new("--name") { HelpName = "NAME", Description = "What requests call the model. Default: the folder's name." };

    private readonly Option<string> keyVariable = new("--api-key-env")
        { HelpName = "VARIABLE", Description = "Environment variable with the key that callers must send, of at least 16 characters." };

    private readonly Option<string[]> cors = new("--cors")
    {
        HelpName = "ORIGIN", AllowMultipleArgumentsPerToken = true,
        Description = "Web pages that may ask from a browser, e.g. http://localhost:5173; * for all, with a key. Default: none.",
    };

    private readonly Option<int> slots = CommandOptions.Number("--slots", "Completions decoded together.", 1, 4096, 8);
    private readonly Option<int?> maxLength = CommandOptions.OptionalNumber("--max-length",
        "Longest sequence, prompt and completion together; memory grows with slots × length. "
        + $"Default {DefaultLength:N0}, or the model's when that is less.", 2, 10_000_000);

    private readonly Option<int> maxRequests =
        CommandOptions.Number("--max-requests", "Requests served or waiting; one more is refused with 429.", 1, 100_000, 64);

    private readonly Option<int> grace =
        CommandOptions.Number("--grace", "Seconds that running requests get when the server is stopped.", 0, 86_400, 30);

    private readonly Option<long> seed = CommandOptions.Number("--seed", "Of requests that bring none.", 0, long.MaxValue, 0);
    private readonly Option<string> device = DeviceOption.OfModel();
    private readonly Option<bool> quiet = new("--quiet") { Description = "No line per request on standard error." };

    public ServeModelCommand()
        : base("serve-model",
            "Answers OpenAI's HTTP interface with a model: /v1/chat/completions, /v1/responses, /v1/completions, /v1/models and /health. "
            + "Callers share one running batch. Ctrl-C or SIGTERM ends it in order, with exit code 0.")
    {
        Arguments.Add(model);
        Option[] options = [host, port, name, keyVariable, cors, slots, maxLength, maxRequests, grace, seed, device, quiet];
        foreach (var option in options) Options.Add(option);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "distill serve-model teacher/models/tiny-reasoner",
        "distill serve-model runs/quickstart/6-onnx --port 9000 --slots 32",
        "distill serve-model runs/quickstart/6-onnx --cors http://localhost:5173",
        "DISTILL_KEY=$(openssl rand -hex 24) distill serve-model teacher/models/tiny-reasoner --host 0.0.0.0 --api-key-env DISTILL_KEY",
    ];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        string folder = HubAccess.Locate(parsed.GetRequiredValue(model), context);
        ModelFolders.RequireModel(folder);
        var log = new RequestLog(context, quiet: parsed.GetValue(quiet));
        var options = OptionsOf(parsed, folder) with { Served = log.Served, Failed = log.Failed };
        RequireSound(options);
        using var served = OpenedModel.Open(
            folder, batched: true, ModelEngine.Onnx, parsed.GetRequiredValue(device), context);
        using var engine = new GenerationEngine(served.Model, new EngineOptions
        {
            Slots = parsed.GetValue(slots),
            Workers = Math.Min(served.Workers, parsed.GetValue(slots)),
            MaxLength = Length(parsed.GetValue(maxLength), served.Model.MaxLength),
            MaxWaiting = options.MostRequests * options.PromptsAtOnce, // the server refuses before the engine would
        });
        ServeAsync(served, engine, options, TimeSpan.FromSeconds(parsed.GetValue(grace)), log, context).GetAwaiter().GetResult();
        return ExitCode.Done;
    }

    private static async Task ServeAsync(
        OpenedModel served, GenerationEngine engine, ModelServerOptions options, TimeSpan grace, RequestLog log, CommandContext context)
    {
        await using var server = await ModelServer.StartAsync(engine, served.Encoder, options, context.Clock, context.Cancellation);
        log.Started(server.Address, served.Kind, engine.MaxLength, options);
        await Task.Delay(Timeout.Infinite, context.Cancellation).ContinueWith(_ => { }, TaskScheduler.Default); // until it is stopped
        await server.StopAsync(grace);
        log.Stopped();
    }

    private ModelServerOptions OptionsOf(ParseResult parsed, string folder) => new()
    {
        ModelName = parsed.GetValue(name) ?? ModelFolders.NameOf(folder),
        Address = ListenAddress.Read(parsed.GetRequiredValue(host)),
        Port = parsed.GetValue(port),
        ApiKey = parsed.GetValue(keyVariable) is { } variable ? KeyOf(variable) : null,
        MostRequests = parsed.GetValue(maxRequests),
        PromptsAtOnce = parsed.GetValue(slots),
        AllowedOrigins = parsed.GetValue(cors) ?? [],
        Seed = (ulong)parsed.GetValue(seed),
    };

    private static string KeyOf(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } key ? key
        : throw new UsageException(
            $"The environment variable '{variable}' is not set.", "Put the API key into it; it is never given on the command line.");

    private static void RequireSound(ModelServerOptions options)
    {
        try
        {
            options.Validate();
        }
        catch (ArgumentException e)
        {
            throw new UsageException(
                e.Message, "--api-key-env VARIABLE names the environment variable with the key, --cors ORIGIN the pages that may ask.");
        }
    }

    private static int Length(int? asked, int most) => asked is not { } length ? Math.Min(DefaultLength, most)
        : length <= most ? length
        : throw new UsageException(
            string.Create(CultureInfo.InvariantCulture, $"--max-length {length} is more than the {most} that the model reads."));
}

/// <summary>
/// What a server says: where it answers on standard output, a line per request on standard error, nothing of what was asked. Thread-safe.
/// </summary>
internal sealed class RequestLog(CommandContext context, bool quiet)
{
    private readonly Lock gate = new();
    private int requests, failures;

    public void Started(Uri address, string kind, int maxLength, ModelServerOptions options)
    {
        if (context.IsJson)
        {
            context.Results.Json(new
            {
                listening = address, model = options.ModelName, kind, maxLength, slots = options.PromptsAtOnce, options.MostRequests,
                needsKey = options.ApiKey is not null, origins = options.AllowedOrigins,
            });
        }

        string key = options.ApiKey is null ? "" : ", with a key";
        context.Results.Line($"{options.ModelName} ({kind}) answers at {address}v1, up to {maxLength:N0} tokens, "
            + $"{options.PromptsAtOnce} at a time{key}. Ctrl-C stops it.");
        context.Streams.Out.Flush();
    }

    public void Served(ServedRequest request)
    {
        lock (gate)
        {
            requests++;
            if (quiet) return;
            string tokens = request.PromptTokens > 0 ? $", {request.PromptTokens:N0} + {request.CompletionTokens:N0} tokens" : "";
            context.Progress.Line(
                $"{request.Method} {request.Path} {request.Status} {Readable.Duration(request.Elapsed)}{tokens}");
        }
    }

    public void Failed(Exception fault)
    {
        lock (gate)
        {
            failures++;
            context.Progress.Line($"error: {fault.GetType().Name}: {fault.Message}");
        }
    }

    public void Stopped()
    {
        lock (gate)
        {
            if (context.IsJson) context.Results.Json(new { stopped = true, requests, failures });
            context.Results.Line($"Stopped after {requests:N0} requests, {failures:N0} of which failed.");
        }
    }
}
