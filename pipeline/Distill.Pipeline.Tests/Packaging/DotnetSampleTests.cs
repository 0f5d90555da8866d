using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Packaging;

/// <summary>The samples for .NET as somebody who copied their folder has them: built from the packages, and run.</summary>
public sealed partial class DotnetSampleTests : IDisposable
{
    private const string Question = "What is (3 + 4) * 2?";

    private static readonly string s_model = Path.Combine(RepositoryFolder.Root, "teacher", "models", "tiny-reasoner");

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_console_answers_as_distill_chat_does()
    {
        string program = Path.Combine(Build("console", "Chat.csproj"), "Chat.dll");
        var (code, output, error) = PackageFeed.Run("dotnet", [program, s_model], folder.Path, Question + "\n");
        code.ShouldBe(0, error);
        using var expected = Expected();
        output.Trim().ShouldBe(
            $"{expected.RootElement.GetProperty("reasoning").GetString()}\n\n{expected.RootElement.GetProperty("answer").GetString()}");
        error.ShouldMatch(@"\(first token after \d+\.\d ms, \d+ tokens, \d+ tokens/s\)");

        PackageFeed.Run("dotnet", [program], folder.Path).Code.ShouldBe(2);
        PackageFeed.Run("dotnet", [program, "nowhere"], folder.Path).Error.ShouldContain("'nowhere' does not exist");
    }

    [Fact]
    public async Task The_service_answers_streams_and_tells_its_health()
    {
        string built = Build("web", "Web.csproj");
        using var process = Start(built);
        try
        {
            using var http = new HttpClient { BaseAddress = new Uri(await Address(process)) };
            using var expected = Expected();
            var asked = await http.PostAsJsonAsync("/ask", new { text = Question }, TestContext.Current.CancellationToken);
            var reply = await asked.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
            reply.GetProperty("answer").GetString().ShouldBe(expected.RootElement.GetProperty("answer").GetString());
            reply.GetProperty("reasoning").GetString().ShouldBe(expected.RootElement.GetProperty("reasoning").GetString());

            var streamed = await http.PostAsJsonAsync("/stream", new { text = Question }, TestContext.Current.CancellationToken);
            string events = (await streamed.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ReplaceLineEndings("\n");
            string.Concat(Event().Matches(events).Where(match => match.Groups[1].Value == "answer").Select(match => match.Groups[2].Value))
                .ShouldBe(expected.RootElement.GetProperty("answer").GetString());
            Event().Matches(events).Count(match => match.Groups[1].Value == "reasoning").ShouldBeGreaterThan(3);

            (await http.GetStringAsync("/health", TestContext.Current.CancellationToken)).ShouldBe("Healthy");
            foreach (string path in (string[])["/ask", "/stream"])
            {
                var tooLong = await http.PostAsJsonAsync(
                    path, new { text = string.Concat(Enumerable.Repeat("7 ", 2000)) }, TestContext.Current.CancellationToken);
                ((int)tooLong.StatusCode).ShouldBe(400, path);
            }
        }
        finally
        {
            process.Kill();
        }
    }

    private string Build(string sample, string project)
    {
        PackageFeed.Connect(folder);
        foreach (string file in Directory.GetFiles(Path.Combine(RepositoryFolder.Root, "samples", sample)))
            folder.File($"{sample}/{Path.GetFileName(file)}", File.ReadAllText(file));
        return PackageFeed.Build(folder.File($"{sample}/{project}"));
    }

    /// <returns>The caller disposes it.</returns>
    private static Process Start(string built)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, WorkingDirectory = built };
        foreach (string word in (string[])[Path.Combine(built, "Web.dll"), $"--Model:Folder={s_model}", "--urls", "http://127.0.0.1:0"])
            start.ArgumentList.Add(word);
        return Process.Start(start)!;
    }

    private static async Task<string> Address(Process process)
    {
        while (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            if (Listening().Match(line) is not { Success: true } match) continue;
            _ = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken); // so that it never waits for a reader
            return match.Groups[1].Value;
        }

        throw new InvalidOperationException("The service ended before it listened.");
    }

    /// <returns>The caller disposes it.</returns>
    private static JsonDocument Expected()
    {
        var (code, output, error) = PackageFeed.Run(
            "dotnet", [DistillProcess.Tool, "chat", s_model, "--prompt", Question, "--json"], RepositoryFolder.Root);
        code.ShouldBe(0, error);
        return JsonDocument.Parse(output);
    }

    [GeneratedRegex(@"Now listening on: (http://\S+)")]
    private static partial Regex Listening();

    [GeneratedRegex(@"event: (\w+)\ndata: (.*)\n")]
    private static partial Regex Event();
}
