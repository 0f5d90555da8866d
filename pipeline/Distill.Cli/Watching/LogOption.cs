using System.CommandLine;
using Distill.Cli.Parsing;
using Distill.Data.Telemetry;
using Distill.Pipeline.Watching;

namespace Distill.Cli.Watching;

/// <summary>The option <c>--log</c>: lines for whoever collects logs, on standard error.</summary>
internal static class LogOption
{
    private const string Text = "text", Json = "json";

    public static Option<string> Create() => CommandOptions.Word("--log",
        "Write what happens to standard error, an event a line with its time, run, stage and attempt, instead of showing progress. "
        + "Secrets are left out.", [Text, Json]);

    /// <param name="scrub">Takes secrets out of a text; null for those that the environment's names give away.</param>
    /// <returns>Null where no log was asked for.</returns>
    public static StructuredLog? Open(string? form, CommandContext context, Func<string, string>? scrub = null) => form is null ? null
        : new StructuredLog(
            context.Streams.Error, form == Json ? LogForm.Json : LogForm.Text, context.Clock, scrub ?? SecretValues.OfProcess.Without);
}
