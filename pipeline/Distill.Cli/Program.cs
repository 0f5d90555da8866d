using System.Runtime.InteropServices;
using System.Text;
using Distill.Cli;
using Distill.Cli.Output;

if (OperatingSystem.IsWindows()) Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
var streams = ConsoleStreams.OfProcess();
using var cancellation = new CancellationTokenSource();
using var interrupt = Register(PosixSignal.SIGINT);
using var terminate = Register(PosixSignal.SIGTERM);
AppDomain.CurrentDomain.UnhandledException += EndByThread;
return DistillCommandLine.Run(args, streams, TimeProvider.System, cancellation.Token);

// Without it the signal ends the process at once, which loses no finished work.
IDisposable? Register(PosixSignal signal)
{
    try
    {
        return PosixSignalRegistration.Create(signal, End);
    }
    catch (IOException)
    {
        return null;
    }
}

// The first signal lets the work stop between two steps and save what it has. The second is left to do what signals do, which shells
// report as 130 too: an orderly exit would unload native libraries under the threads that still run in them.
void End(PosixSignalContext signal)
{
    if (cancellation.IsCancellationRequested) return;
    signal.Cancel = true;
    streams.Error.WriteLine("\nStopping after the current step; once more ends at once.");
    cancellation.Cancel();
}

// What another thread did not catch ends the process whatever we do; it is said in our words, with our exit code.
void EndByThread(object sender, UnhandledExceptionEventArgs unhandled)
{
    if (unhandled.ExceptionObject is not Exception exception) return;
    Environment.Exit(DistillCommandLine.Report(exception, args, streams));
}
