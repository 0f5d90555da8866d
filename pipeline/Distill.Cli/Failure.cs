using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Student.Training;
using Distill.Teacher.Remote;
using Distill.Templates;

namespace Distill.Cli;

/// <summary>Why a command ended without doing its work, in words for people and for machines.</summary>
/// <param name="Kind"><c>usage</c>, <c>invalid_recipe</c>, <c>gate_failed</c>, <c>interrupted</c> or <c>fault</c>.</param>
/// <param name="Hint">What to do next; may be empty.</param>
internal sealed record Failure(int Code, string Kind, string Message, string Hint, IReadOnlyList<RecipeProblem>? Problems = null)
{
    private const string Tracing = "DISTILL_TRACE=1 shows where this comes from.";

    public static Failure Of(Exception exception, CommandContext context) => exception switch
    {
        AggregateException { InnerExceptions: [var only] } => Of(only, context), // what one of the training threads threw
        UsageException usage => new(ExitCode.Usage, "usage", usage.Message, usage.Hint),
        InvalidRecipeException invalid => new(ExitCode.Usage, "invalid_recipe", invalid.Message, "", invalid.Problems),
        RunRefusedException refused => new(ExitCode.Usage, "usage", refused.Message, ""),
        GateFailedException gate => new(ExitCode.GateFailed, "gate_failed", gate.Message, ""),
        OperationCanceledException when context.Cancellation.IsCancellationRequested => Interrupted(context),
        RemoteTeacherException remote => new(ExitCode.Fault, "fault", remote.Message,
            context.Continuation is { } command ? $"What was answered is kept. Continue with: {command}" : ""),
        TrainingDivergedException or UnusableStateException => new(ExitCode.Fault, "fault", exception.Message, ""),
        // These name the file and say what is wrong with it.
        InvalidDataException or IOException or UnauthorizedAccessException or TemplateException =>
            new(ExitCode.Fault, "fault", exception.Message, ""),
        ArgumentException => new(ExitCode.Fault, "fault", exception.Message, Tracing),
        OutOfMemoryException =>
            new(ExitCode.Fault, "fault", "There is not enough memory.", "Use fewer slots, shorter completions or a smaller model."),
        _ => new(ExitCode.Fault, "fault", $"{exception.GetType().Name}: {exception.Message}",
            $"This should not happen. {Tracing} Please report it."),
    };

    public int Report(CommandContext context, string? trace)
    {
        if (context.IsJson)
        {
            context.Results.Json(
                new { error = new { code = Code, kind = Kind, message = Message, hint = Hint, @continue = Continuation(context),
                problems = Problems, trace } });
            return Code;
        }

        var error = context.Streams.Error;
        error.WriteLine(Code == ExitCode.Interrupted ? Message : $"error: {Message}");
        if (Hint.Length > 0) error.WriteLine($"  {Hint}");
        if (trace is not null && Code != ExitCode.Interrupted) error.WriteLine(trace);
        return Code;
    }

    private string? Continuation(CommandContext context) => Code == ExitCode.Usage ? null : context.Continuation;

    private static Failure Interrupted(CommandContext context) =>
        new(ExitCode.Interrupted, "interrupted", "Interrupted.", context.Continuation is { } command ? $"Continue with: {command}" : "");
}
