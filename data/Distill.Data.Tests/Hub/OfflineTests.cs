using System.Text;
using Distill.Data.Tests.Hub.Servers;
using Distill.Hub;

namespace Distill.Data.Tests.Hub;

/// <summary>Without a connection, and from a cache that huggingface_hub wrote.</summary>
public sealed class OfflineTests : IAsyncLifetime
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
    public async Task What_was_pulled_is_there_and_nobody_is_asked()
    {
        server.AddModel();
        var first = await PullAsync(offline: false);
        server.Forget();
        var again = await PullAsync(offline: true);
        again.LocalPath.ShouldBe(first.LocalPath);
        again.Files.ShouldBe(first.Files);
        again.Reference.ShouldBe(first.Reference);
        server.Calls.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_part_is_not_taken_for_the_whole()
    {
        server.AddModel();
        await PullAsync(offline: false, new HubSelection { Include = ["*.json"] });
        (await PullAsync(offline: true, new HubSelection { Include = ["*.json"] })).Files.ShouldBe(["config.json"]);
        var fault = await Should.ThrowAsync<HubException>(() => PullAsync(offline: true));
        fault.Fault.ShouldBe(HubFault.Offline);
        fault.Message.ShouldContain("'onnx/model.onnx'");
    }

    [Fact]
    public async Task What_is_not_there_is_named_with_the_variable()
    {
        var fault = await Should.ThrowAsync<HubException>(() => PullAsync(offline: true));
        fault.Fault.ShouldBe(HubFault.Offline);
        fault.Message.ShouldContain("HF_HUB_OFFLINE");
        fault.Message.ShouldContain("hf://owner/name");
    }

    [Fact]
    public async Task Files_that_Python_downloaded_are_used_on_line_and_off()
    {
        var repository = server.AddModel();
        string commit = repository.Branches["main"];
        WriteAsPython(commit, repository.FilesAt(commit));
        (await PullAsync(offline: true)).Files.ShouldBe(["config.json", "onnx/model.onnx"]);
        server.Calls.ShouldBeEmpty();
        (await PullAsync(offline: false)).Received.ShouldBe(0);
        server.Storage.Calls.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_file_that_a_power_failure_cut_short_is_received_again()
    {
        var repository = server.AddModel();
        string commit = repository.Branches["main"];
        WriteAsPython(commit, repository.FilesAt(commit));
        string blob = home.File($"hub/models--owner--name/blobs/{repository.FilesAt(commit)[1].Sha256}");
        await File.WriteAllBytesAsync(blob, [], Cancellation);
        (await PullAsync(offline: false)).Received.ShouldBe(300_000);
        new FileInfo(blob).Length.ShouldBe(300_000);
    }

    // Files, names, links and the reference without an end of line: as huggingface_hub leaves them.
    private void WriteAsPython(string commit, IReadOnlyList<TestFile> files)
    {
        string cache = home.File("hub/models--owner--name");
        home.File("hub/models--owner--name/refs/main", commit);
        Directory.CreateDirectory(Path.Combine(cache, "blobs"));
        foreach (var file in files)
        {
            File.WriteAllBytes(Path.Combine(cache, "blobs", file.ETag), file.Content);
            string pointer = Path.Combine(cache, "snapshots", commit, file.Path);
            Directory.CreateDirectory(Path.GetDirectoryName(pointer)!);
            var up = new StringBuilder().Insert(0, "../", file.Path.Count(c => c == '/') + 2);
            File.CreateSymbolicLink(pointer, $"{up}blobs/{file.ETag}");
        }
    }

    private async Task<HubSnapshot> PullAsync(bool offline, HubSelection? selection = null)
    {
        using var client = server.Client(home, options => options with { IsOffline = offline });
        return await client.PullAsync(Model, selection, cancellation: Cancellation);
    }
}
