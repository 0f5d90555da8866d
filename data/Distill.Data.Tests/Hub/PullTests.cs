using Distill.Data.Tests.Hub.Servers;
using Distill.Hub;

namespace Distill.Data.Tests.Hub;

/// <summary>What a pull brings and where it puts it, over real connections.</summary>
public sealed class PullTests : IAsyncLifetime
{
    private static readonly HubReference Model = HubReference.Parse("hf://owner/name");

    private readonly TemporaryFolder home = new();
    private HubServer server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => server = await HubServer.CreateAsync();

    public async ValueTask DisposeAsync()
    {
        await server.Storage.DisposeAsync();
        await server.DisposeAsync();
        home.Dispose();
    }

    [Fact]
    public async Task A_model_lies_in_the_cache_as_huggingface_hub_lays_it_out()
    {
        var repository = server.AddModel();
        string commit = repository.Branches["main"];
        var files = repository.FilesAt(commit);
        var snapshot = await PullAsync(Model);
        string cache = home.File("hub/models--owner--name");
        snapshot.LocalPath.ShouldBe(Path.Combine(cache, "snapshots", commit));
        snapshot.Reference.ToString().ShouldBe($"hf://owner/name@{commit}");
        snapshot.Files.ShouldBe(["config.json", "onnx/model.onnx"]);
        (await File.ReadAllTextAsync(Path.Combine(cache, "refs", "main"), Cancellation)).ShouldBe(commit);
        new FileInfo(Path.Combine(snapshot.LocalPath, "config.json")).LinkTarget.ShouldBe($"../../blobs/{files[0].Oid}");
        new FileInfo(Path.Combine(snapshot.LocalPath, "onnx/model.onnx")).LinkTarget.ShouldBe($"../../../blobs/{files[1].Sha256}");
        (await File.ReadAllBytesAsync(Path.Combine(snapshot.LocalPath, "onnx/model.onnx"), Cancellation)).ShouldBe(files[1].Content);
        Directory.GetFiles(Path.Combine(cache, "blobs")).Select(Path.GetFileName)
            .ShouldBe(files.Select(file => file.ETag), ignoreOrder: true);
        snapshot.Received.ShouldBe(files.Sum(file => (long)file.Content.Length));
    }

    [Fact]
    public async Task What_is_there_is_not_received_again_and_a_commit_needs_no_connection()
    {
        string commit = server.AddModel().Branches["main"];
        await PullAsync(Model);
        server.Forget();
        (await PullAsync(Model)).Received.ShouldBe(0);
        server.Calls.Select(call => $"{call}").ShouldBe(["GET /api/models/owner/name/revision/main"]);
        server.Forget();
        (await PullAsync(Model with { Revision = commit })).Received.ShouldBe(0);
        server.Calls.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_next_commit_brings_only_what_changed()
    {
        var repository = server.AddModel();
        var first = await PullAsync(Model);
        repository.Commit("main", HubServer.Small("config.json", "{\"a\":1}"), HubServer.Large("onnx/model.onnx", 300_000));
        server.Storage.Forget();
        var second = await PullAsync(Model);
        second.Received.ShouldBe(7);
        server.Storage.Calls.ShouldBeEmpty();
        File.Exists(Path.Combine(first.LocalPath, "config.json")).ShouldBeTrue();
        (await File.ReadAllTextAsync(Path.Combine(second.LocalPath, "config.json"), Cancellation)).ShouldBe("{\"a\":1}");
    }

    [Fact]
    public async Task Data_sets_branches_folders_and_files_are_found()
    {
        var repository = server.Add("datasets/owner/set");
        repository.Commit("main", HubServer.Small("README.md", "main"));
        repository.Commit("a/b",
            HubServer.Small("data/train.jsonl", "1"), HubServer.Small("data/test.jsonl", "2"), HubServer.Small("database", "3"));
        var set = HubReference.Parse("hf://datasets/owner/set@a%2Fb");
        var folder = await PullAsync(set with { Path = "data" });
        folder.Files.ShouldBe(["data/test.jsonl", "data/train.jsonl"]);
        Directory.GetFiles(folder.LocalPath).Length.ShouldBe(2);
        var file = await PullAsync(set with { Path = "data/train.jsonl" });
        (await File.ReadAllTextAsync(file.LocalPath, Cancellation)).ShouldBe("1");
        file.LocalPath.ShouldContain("datasets--owner--set");
        File.Exists(home.File("hub/datasets--owner--set/refs/a/b")).ShouldBeTrue();
        server.Calls.ShouldContain(call => call.Path.Contains("/revision/a%2Fb", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Patterns_and_pages_choose_among_many_files()
    {
        var files = Enumerable.Range(0, 25).Select(i => HubServer.Small($"{i:D2}.{(i % 2 == 0 ? "json" : "bin")}", $"{i}"));
        server.Add("models/owner/name").Commit("main", [.. files]);
        var snapshot = await PullAsync(Model, new HubSelection { Include = ["*.json"], Exclude = ["1*"] });
        snapshot.Files.ShouldBe(["00.json", "02.json", "04.json", "06.json", "08.json", "20.json", "22.json", "24.json"]);
        server.Calls.Count(call => call.Path.Contains("/resolve/", StringComparison.Ordinal)).ShouldBe(8);
        server.Calls.Count(call => call.Path.Contains("/tree/", StringComparison.Ordinal)).ShouldBe(13);
    }

    [Fact]
    public async Task The_same_content_under_two_names_is_received_once_and_empty_files_are_files()
    {
        server.Add("models/owner/name").Commit("main",
            HubServer.Small("a.txt", "same"), HubServer.Small("b/a.txt", "same"), HubServer.Small("empty", ""));
        var snapshot = await PullAsync(Model);
        (await File.ReadAllTextAsync(Path.Combine(snapshot.LocalPath, "b/a.txt"), Cancellation)).ShouldBe("same");
        new FileInfo(Path.Combine(snapshot.LocalPath, "empty")).ResolveLinkTarget(true)!.Exists.ShouldBeTrue();
        server.Calls.Count(call => call.Path.Contains("a.txt", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public async Task Without_links_the_snapshot_has_the_files_themselves()
    {
        server.AddModel();
        var snapshot = await PullAsync(Model, change: options => options with { UsesLinks = false });
        new FileInfo(Path.Combine(snapshot.LocalPath, "config.json")).LinkTarget.ShouldBeNull();
        (await PullAsync(Model, change: options => options with { UsesLinks = false })).Received.ShouldBe(0);
        (await PullAsync(Model)).Received.ShouldBe(0);
    }

    [Fact]
    public async Task The_token_goes_to_the_Hub_and_to_nobody_else()
    {
        server.AddModel();
        await PullAsync(Model);
        server.Calls.ShouldAllBe(call => call.Authorization == "Bearer " + HubServer.Token);
        server.Storage.Calls.ShouldNotBeEmpty();
        server.Storage.Calls.ShouldAllBe(call => call.Authorization == "");
    }

    [Fact]
    public async Task What_may_not_be_had_is_named_with_the_remedy()
    {
        var repository = server.AddModel();
        (await FaultAsync("hf://owner/absent", HubFault.NoRepository)).ShouldContain("hf://datasets/owner/absent");
        (await FaultAsync("hf://owner/name@absent", HubFault.NoRevision)).ShouldContain("'absent'");
        string noFile = await FaultAsync("hf://owner/name/absent.bin", HubFault.NoFile);
        noFile.ShouldContain("'config.json'");
        repository.IsPrivate = true;
        (await FaultAsync("hf://owner/name", HubFault.NoRepository, token: false)).ShouldContain("HF_TOKEN");
        repository.IsGated = true;
        (await FaultAsync("hf://owner/name", HubFault.Gated)).ShouldContain("/owner/name");
        server.First = async (context, _) =>
        {
            await TestServer.StatusAsync(context, 401, message: "Invalid credentials in Authorization header");
            return true;
        };
        string message = await FaultAsync("hf://owner/name@other", HubFault.Unauthorized);
        message.ShouldContain("does not know the token");
        message.ShouldNotContain(HubServer.Token);
    }

    [Fact]
    public async Task Progress_ends_with_everything_received()
    {
        server.AddModel();
        var seen = new List<HubProgress>();
        using var client = server.Client(home);
        await client.PullAsync(Model, null, new Listener(seen), Cancellation);
        seen[0].TotalBytes.ShouldBe(300_002);
        (seen[^1].Bytes, seen[^1].Files, seen[^1].TotalFiles).ShouldBe((300_002, 2, 2));
    }

    private async Task<HubSnapshot> PullAsync(
        HubReference what, HubSelection? selection = null, Func<HubOptions, HubOptions>? change = null)
    {
        using var client = server.Client(home, change);
        return await client.PullAsync(what, selection, cancellation: Cancellation);
    }

    private async Task<string> FaultAsync(string what, HubFault expected, bool token = true)
    {
        using var client = server.Client(home, options => token ? options : options with { Token = null });
        var fault = await Should.ThrowAsync<HubException>(() => client.PullAsync(HubReference.Parse(what), cancellation: Cancellation));
        fault.Fault.ShouldBe(expected);
        return fault.Message;
    }

    private sealed class Listener(List<HubProgress> seen) : IProgress<HubProgress>
    {
        public void Report(HubProgress value) => seen.Add(value);
    }
}
