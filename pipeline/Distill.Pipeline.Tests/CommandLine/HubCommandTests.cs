using Distill.Data.Tests.Hub.Servers;
using Distill.Hub;
using Distill.Pipeline.Models;

namespace Distill.Pipeline.Tests.CommandLine;

/// <summary><c>distill pull</c>, <c>distill push</c> and <c>hf://</c> as MODEL, against a Hub of the test.</summary>
[Collection(nameof(HubCommandTests))]
public sealed class HubCommandTests : IAsyncLifetime
{
    private static readonly string[] Variables = ["HF_ENDPOINT", "HF_HOME", "HF_TOKEN", "HF_HUB_OFFLINE"];

    private readonly TemporaryFolder home = new();
    private readonly string?[] before = [.. Variables.Select(Environment.GetEnvironmentVariable)];
    private HubServer server = null!;

    public async ValueTask InitializeAsync()
    {
        server = await HubServer.CreateAsync();
        string?[] values = [server.Address, home.File("home"), HubServer.Token, null];
        foreach (var (name, value) in Variables.Zip(values)) Environment.SetEnvironmentVariable(name, value);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (name, value) in Variables.Zip(before)) Environment.SetEnvironmentVariable(name, value);
        await server.Storage.DisposeAsync();
        await server.DisposeAsync();
        home.Dispose();
    }

    [Fact]
    public void A_model_is_pulled_into_the_cache_and_copied_where_it_is_wanted()
    {
        string commit = server.AddModel().Branches["main"];
        var run = CommandLineRun.Of("pull", "hf://owner/name", "--to", home.File("copy"), "--json");
        run.Code.ShouldBe(0, run.Error);
        run.Json().GetProperty("reference").GetString().ShouldBe($"hf://owner/name@{commit}");
        run.Json().GetProperty("files").GetArrayLength().ShouldBe(2);
        new FileInfo(home.File("copy/onnx/model.onnx")).LinkTarget.ShouldBeNull();
        new FileInfo(home.File("copy/onnx/model.onnx")).Length.ShouldBe(300_000);
        var again = CommandLineRun.Of("pull", "hf://owner/name", "--include", "*.json");
        again.Out.ShouldContain("1 files, 2 B, all in the cache already");
        again.Out.ShouldContain(Path.Combine("models--owner--name", "snapshots", commit));
    }

    [Fact]
    public void What_has_other_content_is_replaced_only_by_force()
    {
        server.AddModel();
        home.File("copy/config.json", "mine");
        var run = CommandLineRun.Of("pull", "hf://owner/name", "--to", home.File("copy"));
        run.Code.ShouldBe(1);
        run.Error.ShouldContain("--force");
        File.ReadAllText(home.File("copy/config.json")).ShouldBe("mine");
        File.Exists(home.File("copy/onnx/model.onnx")).ShouldBeFalse();
        CommandLineRun.Of("pull", "hf://owner/name", "--to", home.File("copy"), "--force").Code.ShouldBe(0);
        File.ReadAllText(home.File("copy/config.json")).ShouldBe("{}");
    }

    [Fact]
    public void What_the_Hub_does_not_have_ends_with_1_and_the_remedy()
    {
        var run = CommandLineRun.Of("pull", "hf://owner/absent");
        run.Code.ShouldBe(1);
        run.Error.ShouldContain("hf://datasets/owner/absent");
        run.Error.ShouldNotContain(HubServer.Token);
        Environment.SetEnvironmentVariable("HF_HUB_OFFLINE", "1");
        CommandLineRun.Of("pull", "hf://owner/name").Error.ShouldContain("is not in the cache");
    }

    [Fact]
    public void A_folder_is_pushed_after_a_look_at_what_would_change()
    {
        home.File("model/README.md", "# Mine\n");
        home.File("model/model.onnx", new string('w', 2000));
        var dry = CommandLineRun.Of("push", home.File("model"), "hf://owner/mine", "--dry-run", "--private");
        dry.Code.ShouldBe(0, dry.Error);
        dry.Out.ShouldContain("would push 2 of 2 files");
        dry.Out.ShouldContain("new private repository");
        server.Repositories.ShouldBeEmpty();
        var run = CommandLineRun.Of("push", home.File("model"), "hf://owner/mine", "--private", "--message", "First", "--json");
        run.Code.ShouldBe(0, run.Error);
        run.Json().GetProperty("files")[0].GetProperty("change").GetString().ShouldBe("new");
        server.Repositories["models/owner/mine"].IsPrivate.ShouldBeTrue();
        server.Commits.Single()["summary"]!.ToString().ShouldBe("First");
        CommandLineRun.Of("push", home.File("model"), "hf://owner/mine", "--revision", "next").Out.ShouldContain("nothing to push");
        server.Repositories["models/owner/mine"].Branches.Keys.ShouldBe(["main", "next"], ignoreOrder: true);
    }

    [Fact]
    public void A_model_of_the_Hub_is_evaluated_and_read_like_a_folder()
    {
        string folder = TinyCheckpoint.Write(home.File("tiny"));
        var files = Directory.GetFiles(folder).Select(path => new TestFile(
            Path.GetFileName(path), File.ReadAllBytes(path), path.EndsWith(".safetensors", StringComparison.Ordinal)));
        server.Add("models/owner/tiny").Commit("main",
        [
            .. files, HubServer.Large("pytorch_model.bin", 3000), HubServer.Large("onnx/model.onnx", 3000),
            HubServer.Large("consolidated.safetensors", 3000),
        ]);
        var run = CommandLineRun.Of(
            "evaluate", "hf://owner/tiny", "--problems", "arithmetic:1", "--limit", "2", "--samples", "0", "--max-tokens", "4", "--json");
        run.Code.ShouldBe(0, run.Error);
        run.Error.ShouldContain("from the Hub");
        var tokens = CommandLineRun.Of("tokenize", "hf://owner/tiny", "--text", "1 + 2");
        tokens.Code.ShouldBe(0, tokens.Error);
        tokens.Out.ShouldBe(CommandLineRun.Of("tokenize", folder, "--text", "1 + 2").Out);
        server.Storage.Calls.Count.ShouldBe(1); // of five large files the one that is needed
    }

    [Theory]
    [InlineData("model.safetensors config.json README.md onnx/model.onnx", nameof(PulledModel.Any), "README.md config.json "
        + "model.safetensors")]
    [InlineData("model.safetensors config.json onnx/model.onnx onnx/model.onnx_data onnx/model_q4.onnx", nameof(PulledModel.Onnx),
        "config.json onnx/model.onnx onnx/model.onnx_data")]
    [InlineData("config.json model-00001-of-00002.safetensors model-00002-of-00002.safetensors model.safetensors.index.json "
        + "a/b.safetensors",
        nameof(PulledModel.Any), "config.json model-00001-of-00002.safetensors model-00002-of-00002.safetensors "
            + "model.safetensors.index.json")]
    [InlineData("tokenizer.json vocab.txt model.safetensors", nameof(PulledModel.Tokenizer), "tokenizer.json vocab.txt")]
    [InlineData("adapter_config.json adapter_model.bin adapter_model.safetensors checkpoint-9/adapter_model.safetensors optimizer.pt "
        + "tokenizer.json", nameof(PulledModel.Adapter), "adapter_config.json adapter_model.safetensors tokenizer.json")]
    public async Task Of_a_repository_only_what_is_used_is_pulled(string names, string kind, string expected)
    {
        server.Add("models/owner/name").Commit("main", [.. names.Split(' ').Select(name => HubServer.Small(name, name))]);
        using var client = server.Client(home);
        var models = new HubModels(client, null, default);
        var snapshot = await Task.Run(() => models.Pull(HubReference.Parse("hf://owner/name"), Enum.Parse<PulledModel>(kind)));
        snapshot.Files.ShouldBe(expected.Split(' '));
    }

    [Fact]
    public async Task A_graph_is_found_in_the_configuration_or_the_choice_is_named()
    {
        using var client = server.Client(home);
        var models = new HubModels(client, null, default);
        server.Add("models/owner/some").Commit("main",
            HubServer.Small("config.json", "{}"), HubServer.Small("onnx/a.onnx", "a"), HubServer.Small("onnx/b.onnx", "b"));
        var several = await Should.ThrowAsync<InvalidDataException>(() =>
            Task.Run(() => models.Pull(HubReference.Parse("hf://owner/some"), PulledModel.Onnx)));
        several.Message.ShouldContain("onnx/a.onnx, onnx/b.onnx");
        server.Add("models/owner/none").Commit("main", HubServer.Small("cpu/genai_config.json", "{}"));
        var none = await Should.ThrowAsync<HubException>(() =>
            Task.Run(() => models.Pull(HubReference.Parse("hf://owner/none"), PulledModel.Any)));
        none.Message.ShouldContain("Name the folder within");
    }
}
