using Distill.Cli.Output;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Teacher.Remote;
using Distill.Student.Training;
using Distill.Templates;
using Microsoft.ML.OnnxRuntime;

namespace Distill.Cli;

/// <summary>Why a command ended without doing its work, in words for people and for machines.</summary>
/// <param name="Kind"><c>usage</c>, <c>invalid_recipe</c>, <c>gate_failed</c>, <c>interrupted</c> or <c>fault</c>.</param>
/// <param name="Hint">What to do next; may be empty.</param>
internal sealed record Failure(int Code, string Kind, string Message, string Hint, IReadOnlyList<RecipeProblem>? Problems = null)
{
    // Linux's, which .NET leaves in the low half of IOException.HResult or names in its message.
    private const int TooManyInSystem = 23, TooManyInProcess = 24, NoSpace = 28, NoQuota = 122;

    private const string Tracing = "DISTILL_TRACE=1 shows where this comes from.";

    private static readonly string[] OutOfMemoryWords =
        ["can't allocate memory", "cannot allocate memory", "bad_alloc", "failed to allocate memory", "bad allocation"];

    public static Failure Of(Exception exception, CommandContext context) => exception switch
    {
        AggregateException { InnerExceptions: [var only] } => Of(only, context), // what one of the training threads threw
        UsageException usage => new(ExitCode.Usage, "usage", usage.Message, usage.Hint),
        InvalidRecipeException invalid => new(ExitCode.Usage, "invalid_recipe", invalid.Message, "", invalid.Problems),
        RunRefusedException refused => new(ExitCode.Usage, "usage", refused.Message, ""),
        GateFailedException gate => new(ExitCode.GateFailed, "gate_failed", gate.Message, GateHint(context)),
        OperationCanceledException when context.Cancellation.IsCancellationRequested =>
            new(ExitCode.Interrupted, "interrupted", "Interrupted.", Then("", context)),
        OutputLostException { ReaderLeft: true } => new(ExitCode.Done, "output_closed", "", ""),
        OutputLostException lost => Fault(lost.Message, lost.InnerException is { } reason && IsFull(reason) ? "The disk is full." : ""),
        RemoteTeacherException remote => Fault(remote.Message, Then("What was answered is kept.", context)),
        _ => OfMachine(exception, context) ?? OfInput(exception) ?? Fault(
            $"{exception.GetType().Name}: {exception.Message}", $"This should not happen. {Tracing} Please report it."),
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

    /// <summary>What the machine lacks, wherever it was noticed; null when it is something else.</summary>
    private static Failure? OfMachine(Exception exception, CommandContext context)
    {
        for (var at = exception; at is not null; at = at.InnerException)
        {
            if (at is OutOfMemoryException || OutOfMemoryWords.Any(word => at.Message.Contains(word, StringComparison.OrdinalIgnoreCase)))
                return Fault("There is not enough memory.", Then("Use fewer slots, shorter sequences or a smaller model.", context));
            if (IsErrno(at, TooManyInProcess) || IsErrno(at, TooManyInSystem)
                || at.Message.Contains("Too many open files", StringComparison.OrdinalIgnoreCase))
                return Fault("Too many files are open for this process.", Then("Allow more of them first: ulimit -n 4096.", context));
            if (IsFull(at)) return Fault(at.Message, Then("The disk is full: make room first.", context));
            if (at is DllNotFoundException or BadImageFormatException or EntryPointNotFoundException)
                return Fault($"A native library cannot be loaded: {FirstLine(at)}", "'distill doctor' says which, and what to do about it.");
        }

        return null;
    }

    /// <summary>These name the file and say what is wrong with it; null when it is something else.</summary>
    private static Failure? OfInput(Exception exception) => exception switch
    {
        TrainingDivergedException or UnusableStateException => Fault(exception.Message, ""),
        InvalidDataException or IOException or UnauthorizedAccessException or TemplateException => Fault(exception.Message, ""),
        OnnxRuntimeException => Fault(
            $"ONNX Runtime cannot run the model: {FirstLine(exception)}", "The model's files may be damaged, or made for something else."),
        ArgumentException => Fault(exception.Message, Tracing),
        _ => null,
    };

    private static string GateHint(CommandContext context) => context.Continuation is null ? ""
        : "Nothing was published. A coarser export.precision has a wider tolerance; 'parity' in the recipe sets its own.";

    /// <summary>A remedy, and the command that goes on after it.</summary>
    private static string Then(string remedy, CommandContext context) =>
        context.Continuation is { } command ? $"{remedy} Continue with: {command}".TrimStart() : remedy;

    private static bool IsFull(Exception fault) => IsErrno(fault, NoSpace) || IsErrno(fault, NoQuota)
        || fault.Message.Contains("No space left on device", StringComparison.OrdinalIgnoreCase);

    private static bool IsErrno(Exception fault, int number) =>
        fault is IOException && !OperatingSystem.IsWindows() && fault.HResult == number;

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
