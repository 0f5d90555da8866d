namespace Distill.Cli;

/// <summary>What the process says to scripts.</summary>
internal static class ExitCode
{
    public const int Done = 0, Fault = 1, Usage = 2, GateFailed = 3, Interrupted = 130;
}
