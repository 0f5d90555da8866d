using System.Runtime.InteropServices;
using System.Text;
using Distill.Cli;
using Distill.Cli.Output;

Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
using var cancellation = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
return DistillCommandLine.Run(args, ConsoleStreams.OfProcess(), TimeProvider.System, cancellation.Token);

// The first signal lets the work stop between two steps and save what it has. The second is left to do what signals do, which shells
// report as 130 too: an orderly exit would unload native libraries under the threads that still run in them.
void End(PosixSignalContext signal)
{
    if (cancellation.IsCancellationRequested) return;
    signal.Cancel = true;
    Console.Error.WriteLine("\nStopping after the current step; once more ends at once.");
    cancellation.Cancel();
}
