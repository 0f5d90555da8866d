using System.Text.Json;
using Distill.Cli;
using Distill.Cli.Output;

namespace Distill.Pipeline.Tests.CommandLine;

/// <summary>One call of the command line within the test process.</summary>
internal sealed record CommandLineRun(int Code, string Out, string Error)
{
    public static CommandLineRun Of(params string[] args) => With("", default, args);

    public static CommandLineRun With(string input, CancellationToken cancellation, params string[] args)
    {
        using var read = new StringReader(input);
        using StringWriter output = new(), error = new();
        int code = DistillCommandLine.Run(args, new ConsoleStreams(read, output, error), TimeProvider.System, cancellation);
        return new(code, output.ToString(), error.ToString());
    }

    /// <summary>Standard output as the one JSON value it must be.</summary>
    public JsonElement Json() => JsonDocument.Parse(Out).RootElement;
}
