using System.Text.Json;
using Distill.Export.Runtimes;
using Distill.Tokenization;

namespace Distill.Export.Tests.Runtimes;

/// <summary>Questions to transformers.js: against what it is recorded to answer, and what goes wrong on the way.</summary>
public sealed class TransformersRuntimeTests
{
    private static readonly CancellationToken s_cancellation = TestContext.Current.CancellationToken;

    public static TheoryData<string, string> Recorded => new() { { "reference.json", "fp32" }, { "reference_q4.json", "q4" } };

    [Theory, MemberData(nameof(Recorded))]
    public async Task Greedy_tokens_are_those_that_were_recorded(string file, string dtype)
    {
        var runtime = Require();
        string folder = Folder();
        using var recorded = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, file)));
        var root = recorded.RootElement;
        int[][] prompts = [.. root.GetProperty("prompts").EnumerateArray().Select(prompt => Ids(prompt.GetProperty("ids")))];
        int[][] expected = [.. root.GetProperty("greedy").GetProperty("transformers_js").EnumerateArray().Select(Ids)];
        prompts.Length.ShouldBeGreaterThan(3);
        int steps = root.GetProperty("steps").GetInt32();
        (await runtime.GreedyAsync(folder, prompts, steps, dtype, 1, s_cancellation)).ShouldBe(expected);
    }

    [Fact]
    public async Task One_process_decodes_from_several_folders_and_one_that_fails_does_not_end_it()
    {
        var runtime = Require();
        string folder = Folder();
        using var empty = new TemporaryFolder();
        GreedyJob job = new(folder, [[5, 6, 7]], 3, Threads: 1);
        var alone = await runtime.GreedyAsync(folder, job.Prompts, job.MaxNewTokens, null, 1, s_cancellation);
        var replies = await runtime.GreedyEachAsync([job with { Folder = empty.Path }, job], TimeSpan.FromMinutes(5), s_cancellation);
        replies[0].Result.ShouldBeNull();
        replies[0].Fault.ShouldNotBeNullOrEmpty();
        replies[1].Fault.ShouldBeNull();
        replies[1].Result.ShouldBe(alone);
    }

    [Fact]
    public async Task Texts_have_the_ids_of_our_tokenizer()
    {
        var runtime = Require();
        string folder = Folder();
        string[] texts = ["12 + 30", "", "ää 𝟙\n\ntwo  spaces"];
        var tokenizer = Tokenizer.Load(folder);
        var actual = await runtime.EncodeAsync(folder, texts, s_cancellation);
        actual.ShouldBe(texts.Select(text => tokenizer.Encode(text)));
    }

    [Fact]
    public async Task A_chat_is_rendered_by_the_template_of_the_folder()
    {
        var runtime = Require();
        using var folder = new TemporaryFolder();
        File.Copy(Path.Combine(Folder(), "tokenizer.json"), folder.File("tokenizer.json"));
        const string Template = "{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}{% if loud %}!{% endif %}";
        File.WriteAllText(folder.File("tokenizer_config.json"), JsonSerializer.Serialize(
            new { tokenizer_class = "PreTrainedTokenizerFast", chat_template = Template }));
        var loud = new Dictionary<string, JsonElement> { ["loud"] = JsonSerializer.SerializeToElement(true) };
        ChatMessage[] chat = [ChatMessage.System("s"), ChatMessage.User("a \"b\" ü")];
        var rendered = await runtime.RenderAsync(folder.Path, [chat], loud, s_cancellation);
        rendered.ShouldBe(["[system] s\n[user] a \"b\" ü\n!"]);
    }

    [Fact]
    public async Task A_folder_that_it_cannot_use_is_refused_with_its_own_words()
    {
        var runtime = Require();
        using var folder = new TemporaryFolder();
        var refused = await Should.ThrowAsync<InvalidDataException>(() =>
            runtime.GreedyAsync(folder.Path, [[1]], 2, cancellation: s_cancellation));
        refused.Message.ShouldContain(folder.Path);
        refused.Message.ShouldContain("config.json");
    }

    [Fact]
    public async Task A_process_that_takes_too_long_or_is_called_off_is_ended()
    {
        var runtime = Require();
        var hasty = new NodeScript(Node(), "transformers.mjs");
        var late = await Should.ThrowAsync<IOException>(() =>
            hasty.RunAsync("{}", TimeSpan.FromMilliseconds(1), s_cancellation, "/nowhere"));
        late.Message.ShouldContain("did not answer");
        using var folder = new TemporaryFolder();
        using var off = new CancellationTokenSource();
        off.Cancel();
        await Should.ThrowAsync<OperationCanceledException>(() => runtime.EncodeAsync(folder.Path, ["a"], off.Token));
    }

    [Fact]
    public async Task What_is_no_node_is_named()
    {
        var fault = await Should.ThrowAsync<IOException>(() =>
            new NodeScript("/nowhere/node", "transformers.mjs").RunAsync("{}", TimeSpan.FromMinutes(1), s_cancellation));
        fault.Message.ShouldContain("/nowhere/node");
    }

    [Fact]
    public void It_is_found_where_the_variables_say_and_nowhere_else()
    {
        using var folder = new TemporaryFolder();
        string name = OperatingSystem.IsWindows() ? "node.exe" : "node";
        File.WriteAllText(folder.File(name), "");
        string package = Path.Combine(folder.Path, "node_modules", "@huggingface", "transformers");
        TransformersRuntime.Find(folder.Path, [folder.Path]).ShouldBeNull();
        Directory.CreateDirectory(package);
        File.WriteAllText(Path.Combine(package, "package.json"), """{ "version": "4.3.1" }""");
        string path = "/nowhere" + Path.PathSeparator + folder.Path;
        TransformersRuntime.Find(path, [null, folder.Path]).ShouldNotBeNull().Version.ShouldBe("4.3.1");
        TransformersRuntime.Find(path, [Path.Combine(folder.Path, "node_modules")]).ShouldNotBeNull();
        TransformersRuntime.Find("/nowhere", [folder.Path]).ShouldBeNull();
        TransformersRuntime.Find(path, [null, ""]).ShouldBeNull();
    }

    private static TransformersRuntime Require()
    {
        var runtime = TransformersRuntime.Find();
        Assert.SkipWhen(runtime is null, TransformersRuntime.Absence);
        return runtime;
    }

    private static string Node() => Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator)
        .Select(folder => Path.Combine(folder, OperatingSystem.IsWindows() ? "node.exe" : "node")).First(File.Exists);

    private static string Folder() =>
        Path.GetDirectoryName(FixtureFolder.RequireFile("genai", "tjs-arith", "tokenizer.json"))!;

    private static int[] Ids(JsonElement array) => [.. array.EnumerateArray().Select(element => element.GetInt32())];
}
