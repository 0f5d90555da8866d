using System.Diagnostics;
using Distill.Data.Problems;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.CommandLine;

/// <summary>Commands that read lines end when they are asked to, though no line comes and nobody hangs up.</summary>
public sealed class EndingTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private static CancellationToken Ending => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public Task An_assistants_server() => Ends(
        """{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":"""
            + """{"name":"test","version":"1"}}}""",
        "mcp", "--root", folder.Path, "--runs", folder["runs"]);

    [Fact]
    public Task A_grader()
    {
        var problem = ProblemFamilies.Get("arithmetic").Generate(1, 0, Split.Test, 1);
        using (var stream = File.Create(folder["problems.jsonl"])) ProblemFile.Write(stream, [problem]);
        return Ends($$"""{"problem_id": "{{problem.Id}}", "answer": "{{problem.ReferenceAnswer}}"}""", "grade", folder["problems.jsonl"]);
    }

    [Fact]
    public Task A_conversation() => Ends("What is 3 + 4?", "chat", Path.Combine(RepositoryFolder.Root, "teacher/models/tiny-reasoner"));

    /// <param name="line">Is answered, so that the command listens when it is asked to end.</param>
    private static async Task Ends(string line, params string[] words)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There is no SIGTERM to send on Windows.");
        using var process = DistillProcess.Listening(words);
        try
        {
            await process.StandardInput.WriteLineAsync(line);
            await process.StandardInput.FlushAsync(Ending);
            (await process.StandardOutput.ReadLineAsync(Ending)).ShouldNotBeNull();
            using (var signal = Process.Start("kill", ["-TERM", $"{process.Id}"])) await signal.WaitForExitAsync(Ending);
            await process.WaitForExitAsync(Ending).WaitAsync(TimeSpan.FromMinutes(1), Ending);
            process.ExitCode.ShouldBe(130);
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }
}
