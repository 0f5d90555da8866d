using System.Text.Json;
using Distill.Client;
using Distill.Generation;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Logging;

namespace Distill.Pipeline.Tests.Packaging;

/// <summary>The samples in other languages say what the engine says, token by token where they show their tokens.</summary>
public sealed class ScriptSampleTests : IDisposable
{
    private const string Browser = "/usr/bin/chromium", NodeVariable = "DISTILL_NODE", BrowserVariable = "DISTILL_PLAYWRIGHT";

    private static readonly string[] s_questions = ["What is (3 + 4) * 2?", "What is 17 + 25?"];

    private static readonly string s_model = Path.Combine(RepositoryFolder.Root, "teacher", "models", "tiny-reasoner");

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task The_page_says_in_a_browser_what_the_engine_says()
    {
        string modules = RequireModules();
        Assert.SkipUnless(File.Exists(Browser), $"No browser at {Browser}.");
        string? driver = Environment.GetEnvironmentVariable(BrowserVariable);
        Assert.SkipWhen(string.IsNullOrEmpty(driver), $"{BrowserVariable} names no folder with playwright-core.");
        string sample = Copy("browser", modules), site = folder.File("site");
        var made = PackageFeed.Run("node", [Path.Combine(sample, "make.mjs"), s_model, site], folder.Path);
        made.Code.ShouldBe(0, made.Error);
        await using var server = await ServeAsync(site);
        string script = Path.Combine(RepositoryFolder.Root, "pipeline/Distill.Pipeline.Tests/Packaging/page.mjs");
        var (code, output, error) = PackageFeed.Run("node", [script, Browser, server.Urls.Single(), .. s_questions], folder.Path);
        code.ShouldBe(0, output + error);
        using var replies = JsonDocument.Parse(output);
        var history = new List<ChatMessage>();
        using var client = DistillChatClient.Open(s_model);
        foreach (var (question, reply) in s_questions.Zip(replies.RootElement.EnumerateArray()))
        {
            history.Add(new ChatMessage(ChatRole.User, question));
            var expected = await client.GetResponseAsync(history, cancellationToken: TestContext.Current.CancellationToken);
            history.AddMessages(expected);
            reply.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())
                .ShouldBe(((Completion)expected.RawRepresentation!).Tokens.Select(token => token));
            reply.GetProperty("reasoning").GetString().ShouldBe(Reasoning(expected));
            reply.GetProperty("answer").GetString().ShouldBe(expected.Text);
            reply.GetProperty("steps").GetInt32().ShouldBeGreaterThan(5); // states of the reasoning that were seen: it streams
        }
    }

    [Fact]
    public async Task The_script_for_Node_says_what_the_engine_says()
    {
        string sample = Copy("node", RequireModules());
        using var client = DistillChatClient.Open(s_model);
        var expected = await client.GetResponseAsync(s_questions[0], cancellationToken: TestContext.Current.CancellationToken);
        var (code, output, error) = PackageFeed.Run("node", [Path.Combine(sample, "ask.mjs"), s_model, s_questions[0]], folder.Path);
        code.ShouldBe(0, error);
        output.Trim().ShouldBe(expected.Text);
        error.Trim().ShouldBe(Reasoning(expected));
        PackageFeed.Run("node", [Path.Combine(sample, "ask.mjs")], folder.Path).Code.ShouldBe(2);
    }

    // The package for Python is where somebody installed it, and not where these tests run by themselves.
    [Fact]
    public void The_script_for_Python_says_what_it_lacks_or_answers()
    {
        Assert.SkipUnless(PathOf("python3") is not null, "There is no python3 of at least 3.11.");
        string script = Path.Combine(RepositoryFolder.Root, "samples", "python", "ask.py");
        var nothing = PackageFeed.Run("python3", [script], folder.Path);
        nothing.Code.ShouldBe(2, nothing.Error);
        nothing.Error.ShouldContain("usage:");
        var (code, output, error) = PackageFeed.Run("python3", [script, s_model, s_questions[0]], folder.Path);
        if (code == 1) error.Trim().ShouldBe("onnxruntime-genai is not installed: pip install onnxruntime-genai");
        else output.Trim().ShouldBe("16", error);
    }

    private static string RequireModules()
    {
        string? given = Environment.GetEnvironmentVariable(NodeVariable);
        Assert.SkipWhen(string.IsNullOrEmpty(given), $"{NodeVariable} names no folder with node_modules.");
        return Path.Combine(Path.GetFullPath(given!), "node_modules");
    }

    private string Copy(string sample, string modules)
    {
        foreach (string file in Directory.GetFiles(Path.Combine(RepositoryFolder.Root, "samples", sample)))
            folder.File($"{sample}/{Path.GetFileName(file)}", File.ReadAllText(file));
        Directory.CreateSymbolicLink(folder.File($"{sample}/node_modules"), modules);
        return folder.File(sample);
    }

    private static async Task<WebApplication> ServeAsync(string site)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var types = new FileExtensionContentTypeProvider();
        types.Mappings[".mjs"] = "text/javascript";
        app.UseFileServer(new FileServerOptions
        {
            FileProvider = new PhysicalFileProvider(site),
            StaticFileOptions = { ContentTypeProvider = types, ServeUnknownFileTypes = true },
        });
        await app.StartAsync(TestContext.Current.CancellationToken);
        return app;
    }

    private static string Reasoning(ChatResponse response) =>
        string.Concat(response.Messages[0].Contents.OfType<TextReasoningContent>().Select(content => content.Text));

    private static string? PathOf(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Select(place => Path.Combine(place, program)).FirstOrDefault(File.Exists);
}
