using System.Diagnostics;

namespace Distill.Pipeline.Tests.Testing;

/// <summary>
/// The program as a process of its own, to be ended by the test. Its output is read and dropped, so that it never waits for a
/// reader.
/// </summary>
internal static class DistillProcess
{
    // The tool's own output folder, as users have it: in that of the tests, assemblies are left out that the tests' frameworks bring.
    public static readonly string Tool = Path.Combine(
        AppContext.BaseDirectory.Replace("Distill.Pipeline.Tests", "Distill.Cli", StringComparison.Ordinal), "distill.dll");

    /// <returns>The caller disposes it.</returns>
    public static Process Start(params string[] arguments) => Start(new Dictionary<string, string>(), _ => { }, arguments);

    /// <param name="environment">Variables beside those of this process.</param>
    /// <param name="said">Told every line, from any thread.</param>
    /// <returns>The caller disposes it.</returns>
    public static Process Start(IReadOnlyDictionary<string, string> environment, Action<string> said, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in (string[])[Tool, .. arguments]) start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment) start.Environment[name] = value;
        var process = Process.Start(start)!;
        process.OutputDataReceived += Hear;
        process.ErrorDataReceived += Hear;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;

        void Hear(object sender, DataReceivedEventArgs line)
        {
            if (line.Data is { } text) said(text);
        }
    }

    /// <summary>One that is spoken to by its standard streams, which the test reads itself.</summary>
    /// <returns>The caller disposes it.</returns>
    public static Process Listening(params string[] arguments) => Process.Start(new ProcessStartInfo("dotnet", [Tool, .. arguments])
    {
        RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
    })!;

    /// <summary>Runs a line of bash, in which <c>distill</c> is the program; standard input is at its end.</summary>
    public static (int Code, string Output, string Error) Shell(string script)
    {
        var start = new ProcessStartInfo("bash");
        (start.RedirectStandardInput, start.RedirectStandardOutput, start.RedirectStandardError) = (true, true, true);
        start.Environment["TERM"] = "xterm";
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add($"distill() {{ dotnet '{Tool}' \"$@\"; }}; export -f distill; {script}");
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }
}
