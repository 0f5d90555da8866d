using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Distill.Cli.Assistants;

/// <summary>
/// The process's standard streams for a protocol that nothing else may write into: standard output is taken away from everybody, native
/// libraries included, and what they print goes to standard error.
/// </summary>
internal static partial class ProtocolStreams
{
    private const int Output = 1, Error = 2;

    /// <returns>Input and output; the caller disposes both.</returns>
    /// <exception cref="IOException">The system refuses another handle.</exception>
    public static (Stream In, Stream Out) Claim()
    {
        if (OperatingSystem.IsWindows()) return (Console.OpenStandardInput(), Console.OpenStandardOutput());
        int own = Duplicate(Output);
        if (own < 0 || DuplicateTo(Error, Output) < 0)
            throw new IOException($"Standard output cannot be set aside (error {Marshal.GetLastPInvokeError()}).");
        return (Console.OpenStandardInput(), new FileStream(new SafeFileHandle(own, ownsHandle: true), FileAccess.Write, bufferSize: 0));
    }

    [LibraryImport("libc", EntryPoint = "dup", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Duplicate(int descriptor);

    [LibraryImport("libc", EntryPoint = "dup2", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int DuplicateTo(int from, int to);
}
