using System.Runtime.InteropServices;
using System.Text;
using Distill.Cli;
using Distill.Cli.Output;

Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
using var cancellation = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
return DistillCommandLine.Run(args, ConsoleStreams.OfProcess(), TimeProvider.System, cancellation.Token);

// The first signal lets the work stop between two steps and save what it has; the second ends the process as it is.
void End(PosixSignalContext signal)
{
    if (cancellation.IsCancellationRequested) Environment.Exit(ExitCode.Interrupted);
    signal.Cancel = true;
    Console.Error.WriteLine("\nStopping after the current step; once more ends at once.");
    cancellation.Cancel();
}
