using System.Diagnostics;
using System.Reflection;
using System.Text;
using System.Text.Json;

namespace Distill.Export.Runtimes;

/// <summary>
/// A script of this assembly's, run by node with a request on standard input and its reply on standard output: a line of JSON after a mark
/// that nothing else writes. What comes back is bounded, and so is the time. Immutable; safe from any thread.
/// </summary>
/// <param name="node">The program.</param>
/// <param name="resource">The script's file name in this folder.</param>
internal sealed class NodeScript(string node, string resource)
{
    private const string Mark = "\u0001distill:";
    private const int MaxReplyCharacters = 64 << 20, ErrorCharacters = 4000;

    private readonly string source = Read(resource);

    /// <summary>Runs the script to its end. The process, and whatever it started, is gone when this returns.</summary>
    /// <returns>The reply; dispose it.</returns>
    /// <exception cref="IOException">
    /// node could not be started, ended without a reply, wrote too much, or took too long: then with a <see cref="TimeoutException"/>
    /// inside.
    /// </exception>
    public async Task<JsonDocument> RunAsync(string request, TimeSpan timeout, CancellationToken cancellation, params string[] arguments)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(timeout);
        using var process = Start(arguments);
        try
        {
            var errors = LastAsync(process.StandardError, limit.Token);
            var reply = ReplyAsync(process.StandardOutput, limit.Token);
            await SendAsync(process, request, limit.Token);
            string? line = await reply;
            string said = await errors;
            await process.WaitForExitAsync(limit.Token);
            return line is not null ? JsonDocument.Parse(line)
                : throw new IOException($"node ended with {process.ExitCode} and without a reply: {said.Trim()}");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new IOException($"node did not answer within {timeout.TotalSeconds:0} seconds.", new TimeoutException());
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }

    private Process Start(string[] arguments)
    {
        var start = new ProcessStartInfo(node)
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(false), StandardOutputEncoding = Encoding.UTF8, StandardErrorEncoding = Encoding.UTF8,
        };
        foreach (string word in (string[])["--input-type=module", "--eval", source, .. arguments]) start.ArgumentList.Add(word);
        try
        {
            return Process.Start(start) ?? throw new IOException($"'{node}' did not start.");
        }
        catch (System.ComponentModel.Win32Exception fault)
        {
            throw new IOException($"'{node}' could not be started: {fault.Message}", fault);
        }
    }

    // A process that ends before it has read everything says why on its standard error.
    private static async Task SendAsync(Process process, string request, CancellationToken cancellation)
    {
        try
        {
            await process.StandardInput.WriteAsync(request.AsMemory(), cancellation);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            await process.WaitForExitAsync(cancellation);
        }
    }

    private static async Task<string?> ReplyAsync(StreamReader output, CancellationToken cancellation)
    {
        string? reply = null;
        var line = new StringBuilder();
        char[] buffer = new char[1 << 14];
        while (await output.ReadAsync(buffer, cancellation) is > 0 and int read)
        {
            line.Append(buffer, 0, read);
            if (line.Length > MaxReplyCharacters) throw new IOException($"node wrote more than {MaxReplyCharacters} characters.");
        }

        foreach (string text in line.ToString().Split('\n'))
            if (text.StartsWith(Mark, StringComparison.Ordinal)) reply = text[Mark.Length..];
        return reply;
    }

    private static async Task<string> LastAsync(StreamReader errors, CancellationToken cancellation)
    {
        var last = new StringBuilder();
        char[] buffer = new char[1 << 12];
        while (await errors.ReadAsync(buffer, cancellation) is > 0 and int read)
        {
            last.Append(buffer, 0, read);
            if (last.Length > ErrorCharacters) last.Remove(0, last.Length - ErrorCharacters);
        }

        return last.ToString();
    }

    private static string Read(string resource)
    {
        var assembly = Assembly.GetExecutingAssembly();
        using var stream = assembly.GetManifestResourceStream($"runtimes/{resource}")
            ?? throw new InvalidOperationException($"'{resource}' is not in {assembly.GetName().Name}.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
