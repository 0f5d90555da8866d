using System.Runtime.InteropServices;
using System.Text;
using Distill.Cli;
using Distill.Cli.Output;

// Opened first: where the process runs out of files, not even what it takes to say so could be loaded later.
var lastWords = OpenLastWords();
try
{
    if (OperatingSystem.IsWindows()) Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
    AppDomain.CurrentDomain.UnhandledException += EndByThread;
    return Start();
}
catch (Exception exception)
{
    return Fail(exception);
}

static TextWriter OpenLastWords()
{
    try
    {
        return Console.Error;
    }
    catch (IOException)
    {
        return TextWriter.Null; // standard error is closed
    }
}

int Start()
{
    var streams = ConsoleStreams.OfProcess();
    using var cancellation = new CancellationTokenSource();
    using var interrupt = Register(PosixSignal.SIGINT, streams, cancellation);
    using var terminate = Register(PosixSignal.SIGTERM, streams, cancellation);
    return DistillCommandLine.Run(args, streams, TimeProvider.System, cancellation.Token);
}

// Without it the signal ends the process at once, which loses no finished work.
static IDisposable? Register(PosixSignal signal, ConsoleStreams streams, CancellationTokenSource cancellation)
{
    try
    {
        return PosixSignalRegistration.Create(signal, context => End(context, streams, cancellation));
    }
    catch (Exception fault) when (fault is IOException or TypeInitializationException)
    {
        return null;
    }
}

// The first signal lets the work stop between two steps and save what it has. The second is left to do what signals do, which shells
// report as 130 too: an orderly exit would unload native libraries under the threads that still run in them.
static void End(PosixSignalContext signal, ConsoleStreams streams, CancellationTokenSource cancellation)
{
    if (cancellation.IsCancellationRequested) return;
    if (signal.Cancel) return; // a command took it for a part of its work, such as an answer that is being written
    signal.Cancel = true;
    streams.Error.WriteLine("\nStopping after the current step; once more ends at once.");
    cancellation.Cancel();
}

// What another thread did not catch ends the process whatever we do; it is said in our words, with our exit code.
void EndByThread(object sender, UnhandledExceptionEventArgs unhandled)
{
    if (unhandled.ExceptionObject is Exception exception) Environment.Exit(Fail(exception));
}

// For what came before the command line could report, or kept it from reporting.
int Fail(Exception exception)
{
    try
    {
        return DistillCommandLine.Report(exception, args, ConsoleStreams.OfProcess());
    }
    catch (Exception)
    {
        try
        {
            lastWords.WriteLine("error: The program could not be loaded whole: " + exception.Message);
            lastWords.WriteLine(
                "  Mostly the process may open too few files (ulimit -n 4096) or take too little address space (ulimit -v unlimited).");
        }
        catch (IOException)
        {
            // Nobody is there to be told.
        }

        return 1;
    }
}
