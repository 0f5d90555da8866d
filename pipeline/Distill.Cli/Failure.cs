using Distill.Cli.Commands.Fleet;
using Distill.Cli.Output;
using Distill.Data.Sources.Selection;
using Distill.Generation;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Student.Training;
using Distill.Teacher.Remote;
using Distill.Templates;
using Microsoft.ML.OnnxRuntime;

namespace Distill.Cli;

/// <summary>Why a command ended without doing its work, in words for people and for machines.</summary>
/// <param name="Kind"><c>usage</c>, <c>busy</c>, <c>machine</c>, <c>invalid_recipe</c>, <c>gate_failed</c>, <c>interrupted</c> or
/// <c>fault</c>.</param>
/// <param name="Hint">What to do next; may be empty.</param>
internal sealed record Failure(int Code, string Kind, string Message, string Hint, IReadOnlyList<RecipeProblem>? Problems = null)
{
    private const string Tracing = "DISTILL_TRACE=1 shows where this comes from.";

    /// <summary>What the machine lacks comes first: it is behind whatever else the exception says.</summary>
    public static Failure Of(Exception exception, CommandContext context) => exception switch
    {
        AggregateException { InnerExceptions: [var only] } => Of(only, context), // what one of the training threads threw
        OutputLostException { ReaderLeft: true } => new(ExitCode.Done, "output_closed", "", ""),
        OutputLostException lost => Fault(lost.Message, MachineFault.Of(lost)?.Remedy ?? ""),
        _ => MachineFault.Of(exception) is { } lacking ? Fault(lacking.Message, Then(lacking.Remedy, context)) : OfKind(exception, context),
    };

    private static Failure OfKind(Exception exception, CommandContext context) => exception switch
    {
        UsageException usage => new(ExitCode.Usage, "usage", usage.Message, usage.Hint),
        InvalidRecipeException invalid => new(ExitCode.Usage, "invalid_recipe", invalid.Message, "", invalid.Problems),
        DeviceUnavailableException device => new(ExitCode.Usage, "machine", device.Message, device.Remedy),
        RunRefusedException refused => new(
            ExitCode.Usage, refused.IsBusy ? "busy" : refused.IsOfMachine ? "machine" : "usage", refused.Message, ""),
        GateFailedException gate => new(ExitCode.GateFailed, "gate_failed", gate.Message, gate.Remedy ?? GateHint(context)),
        OperationCanceledException when context.Cancellation.IsCancellationRequested =>
            new(ExitCode.Interrupted, "interrupted", "Interrupted.", Then("", context)),
        RemoteTeacherException remote => Fault(remote.Message, Then("What was answered is kept.", context)),
        // Its message has the step, the losses and the remedy.
        TrainingDivergedException or UnusableStateException or RunFailedException => Fault(exception.Message, ""),
        BadRowsException rows => Fault(rows.Message, "Mend them, or see 'distill problems check --help'."),
        // These name the file and say what is wrong with it.
        InvalidDataException or IOException or UnauthorizedAccessException or TemplateException => Fault(exception.Message, ""),
        OnnxRuntimeException => Fault(
            $"ONNX Runtime cannot run the model: {FirstLine(exception)}", "The model's files may be damaged, or made for something else."),
        ArgumentException => Fault(exception.Message, Tracing),
        _ => Fault($"{exception.GetType().Name}: {exception.Message}", $"This should not happen. {Tracing} Please report it."),
    };

    public int Report(CommandContext context, string? trace)
    {
        if (Code == ExitCode.Done) return Code;
        if (context.IsJson) ReportJson(context, trace);
        else ReportText(context.Streams.Error, trace);
        return Code;
    }

    /// <summary>The <c>error</c> of a JSON object.</summary>
    public object ToJson(CommandContext context, string? trace = null) => new
    {
        code = Code, kind = Kind, message = Message, hint = Hint, problems = Problems, trace,
        @continue = Code == ExitCode.Usage ? null : context.Continuation,
    };

    private static Failure Fault(string message, string hint) => new(ExitCode.Fault, "fault", message, hint);

    private static string GateHint(CommandContext context) => context.Continuation is null ? ""
        : "Nothing was published. A coarser export.precision has a wider tolerance; 'parity' in the recipe sets its own.";

    /// <summary>A remedy, and the command that goes on after it.</summary>
    private static string Then(string remedy, CommandContext context) =>
        context.Continuation is { } command ? $"{remedy} Continue with: {command}".TrimStart() : remedy;

    private static string FirstLine(Exception exception) => exception.Message.Split('\n')[0].TrimEnd();

    private void ReportJson(CommandContext context, string? trace)
    {
        var report = new { error = ToJson(context, trace) };
        try
        {
            context.Results.Json(report);
        }
        catch (OutputLostException)
        {
            // Standard output is what failed; the other stream is left.
            context.Streams.Error.WriteLine(System.Text.Json.JsonSerializer.Serialize(report, ResultWriter.Spelling));
        }
    }

    private void ReportText(TextWriter error, string? trace)
    {
        error.WriteLine(TerminalText.Safe(Code == ExitCode.Interrupted ? Message : $"error: {Message}"));
        if (Hint.Length > 0) error.WriteLine(TerminalText.Safe($"  {Hint}"));
        if (trace is not null && Code != ExitCode.Interrupted) error.WriteLine(TerminalText.Safe(trace));
    }
}
