using Distill.Pipeline.Diagnosis;

namespace Distill.Cli;

/// <summary>
/// What a machine lacks (memory, files, disk, a native library) said as such, however it was noticed: libraries tell it by many
/// exceptions, often within others.
/// </summary>
internal sealed record MachineFault(string Message, string Remedy)
{
    // Linux's numbers, which .NET leaves in HResult.
    private const int Broken = 5, TooManyInSystem = 23, TooManyInProcess = 24, NoSpace = 28, ReadOnly = 30, NoQuota = 122;

    private const string MoreFiles = "Allow more of them: ulimit -n 4096.";

    private static readonly string[] MemoryWords =
        ["can't allocate memory", "cannot allocate memory", "bad_alloc", "failed to allocate memory", "bad allocation"];

    /// <summary>Null when the exception is about something else.</summary>
    public static MachineFault? Of(Exception exception)
    {
        for (var at = exception; at is not null; at = at.InnerException)
        {
            if (OfOne(at) is { } fault) return fault;
        }

        return null;
    }

    private static MachineFault? OfOne(Exception exception) => exception switch
    {
        // Starting a thread takes files too; .NET calls it memory, whatever was lacking.
        OutOfMemoryException when exception.StackTrace?.Contains("Threading.Thread.Start", StringComparison.Ordinal) == true =>
            new("No further thread could be started.", "Allow more files (ulimit -n 4096) or processes (ulimit -u), or free memory."),
        OutOfMemoryException => Memory(),
        _ when MemoryWords.Any(word => Says(exception, word)) => Memory(),
        _ when IsErrno(exception, TooManyInProcess, TooManyInSystem) || Says(exception, "Too many open files") =>
            new("Too many files are open for this process.", MoreFiles),
        _ when IsErrno(exception, NoSpace, NoQuota) || Says(exception, "No space left on device") =>
            new(exception.Message, "The disk is full: make room."),
        _ when IsErrno(exception, ReadOnly) || Says(exception, "Read-only file system") => new(exception.Message,
            "Nothing can be written there. A disk that became so has had a fault: look at the system's log, then mount it to be written."),
        _ when IsErrno(exception, Broken) || Says(exception, "Input/output error") => new(exception.Message,
            "The disk, or the server behind it, reports a fault: look at the system's log. 'distill artefacts verify' says what is whole."),
        FileNotFoundException or FileLoadException when exception.Message.StartsWith("Could not load file or assembly",
            StringComparison.Ordinal) =>
            new($"A part of the program cannot be loaded: {FirstLine(exception)}",
                "Mostly the process may open too few files (ulimit -n 4096) or take too little address space (ulimit -v unlimited)."),
        TypeInitializationException { TypeName: "TorchSharp.torch" } => Torch(exception.GetBaseException()),
        DllNotFoundException when Says(exception, "torch") => Torch(exception),
        DllNotFoundException or BadImageFormatException or EntryPointNotFoundException =>
            new($"A native library cannot be loaded: {FirstLine(exception)}", "'distill doctor' says which, and what to do about it."),
        _ => null,
    };

    private static MachineFault Memory() => new(
        "There is not enough memory.", "Use fewer slots, shorter sequences, smaller batches or a smaller model.");

    private static MachineFault Torch(Exception reason) => new(
        $"libtorch cannot be loaded: {MachineDiagnosis.WhyTorchDoesNotLoad() ?? FirstLine(reason)}",
        "It takes some GiB of address space (ulimit -v unlimited); 'distill doctor' says what else may be missing.");

    private static bool Says(Exception exception, string words) => exception.Message.Contains(words, StringComparison.OrdinalIgnoreCase);

    private static bool IsErrno(Exception exception, params ReadOnlySpan<int> numbers) =>
        exception is IOException && !OperatingSystem.IsWindows() && numbers.Contains(exception.HResult);

    private static string FirstLine(Exception exception) => exception.Message.Split('\n')[0].TrimEnd();
}
