using Distill.Data.Tests.Hub.Servers;
using Distill.Hub;

namespace Distill.Data.Tests.Hub;

/// <summary>A folder becomes a commit, or nothing is visible of it.</summary>
public sealed class PushTests : IAsyncLifetime
{
    private static readonly HubReference Model = HubReference.Parse("hf://owner/name");

    private readonly TemporaryFolder home = new(), folder = new();
    private readonly HastyClock clock = new();
    private HubServer server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        server = await HubServer.CreateAsync();
        folder.File("README.md", "# A card with „quotes“ and \"more\"\n");
        folder.File("onnx/model.onnx", new string('w', 5000));
        folder.File("empty.bin", "");
    }

    public async ValueTask DisposeAsync()
    {
        await server.Storage.DisposeAsync();
        await server.DisposeAsync();
        home.Dispose();
        folder.Dispose();
    }

    [Fact]
    public async Task A_new_repository_has_the_folder_in_one_commit()
    {
        var pushed = await PushAsync(Model, new HubPushOptions { IsPrivate = true, Message = "Ein „Titel“" });
        var repository = server.Repositories["models/owner/name"];
        repository.IsPrivate.ShouldBeTrue();
        pushed.CreatesRepository.ShouldBeTrue();
        pushed.Reference.Revision.ShouldBe(repository.Branches["main"]);
        pushed.Files.Select(file => (file.Path, file.Change)).ShouldBe(
            [("README.md", HubChange.New), ("empty.bin", HubChange.New), ("onnx/model.onnx", HubChange.New)]);
        RequireEqual(repository, "main");
        server.Commits.Single()["summary"]!.ToString().ShouldBe("Ein „Titel“");
        repository.FilesAt(repository.Branches["main"]).Single(file => file.Path == "onnx/model.onnx").IsLarge.ShouldBeTrue();
        server.Storage.Calls.ShouldAllBe(call => call.Authorization == "");
    }

    [Fact]
    public async Task What_is_pushed_can_be_pulled()
    {
        await PushAsync(HubReference.Parse("hf://datasets/owner/name"));
        using var client = server.Client(home);
        var snapshot = await client.PullAsync(HubReference.Parse("hf://datasets/owner/name"), cancellation: Cancellation);
        (await File.ReadAllTextAsync(Path.Combine(snapshot.LocalPath, "README.md"), Cancellation)).ShouldContain("„quotes“");
        (await File.ReadAllTextAsync(Path.Combine(snapshot.LocalPath, "onnx/model.onnx"), Cancellation)).Length.ShouldBe(5000);
    }

    [Fact]
    public async Task Unchanged_files_are_not_sent_and_an_unchanged_folder_makes_no_commit()
    {
        await PushAsync(Model);
        server.Storage.Forget();
        folder.File("README.md", "# Another card\n");
        var second = await PushAsync(Model);
        second.Files.Select(file => file.Change).ShouldBe([HubChange.Changed, HubChange.Unchanged, HubChange.Unchanged]);
        second.Sent.ShouldBe("# Another card\n".Length);
        var third = await PushAsync(Model);
        third.Files.ShouldAllBe(file => file.Change == HubChange.Unchanged);
        third.Reference.ShouldBe(second.Reference);
        server.Commits.Count.ShouldBe(2);
        server.Storage.Calls.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_the_folder_lacks_stays_in_the_repository()
    {
        server.Add("models/owner/name").Commit("main", HubServer.Small("other.txt", "stays"));
        await PushAsync(Model);
        var repository = server.Repositories["models/owner/name"];
        repository.FilesAt(repository.Branches["main"]).Select(file => file.Path)
            .ShouldBe(["README.md", "empty.bin", "onnx/model.onnx", "other.txt"], ignoreOrder: true);
    }

    [Fact]
    public async Task A_dry_run_lists_and_changes_nothing()
    {
        var dry = await PushAsync(Model, new HubPushOptions { IsDryRun = true });
        dry.CreatesRepository.ShouldBeTrue();
        dry.Files.Select(file => (file.Path, file.Size)).ShouldContain(("onnx/model.onnx", 5000L));
        server.Repositories.ShouldBeEmpty();
        await PushAsync(Model);
        folder.File("README.md", "# Another\n");
        server.Forget();
        var changed = await PushAsync(Model, new HubPushOptions { IsDryRun = true });
        changed.Files.Select(file => file.Change).ShouldBe([HubChange.Changed, HubChange.Unchanged, HubChange.Unchanged]);
        server.Commits.Count.ShouldBe(1);
        server.Calls.Where(call => call.Method == "POST").Select(call => call.Path).ShouldBe(["/api/models/owner/name/preupload/main"]);
    }

    [Fact]
    public async Task A_branch_that_is_missing_is_made_and_main_stays()
    {
        await PushAsync(Model);
        var repository = server.Repositories["models/owner/name"];
        string main = repository.Branches["main"];
        folder.File("README.md", "# On a branch\n");
        await PushAsync(Model with { Revision = "try/1" });
        repository.Branches["main"].ShouldBe(main);
        RequireEqual(repository, "try/1");
    }

    [Fact]
    public async Task Large_files_go_in_parts_where_the_Hub_asks_for_parts()
    {
        server.PartSize = 2000;
        await PushAsync(Model);
        server.Storage.Calls.Count.ShouldBe(3);
        RequireEqual(server.Repositories["models/owner/name"], "main");
    }

    [Fact]
    public async Task What_the_gitignore_keeps_out_is_named()
    {
        server.Ignored.Add("empty.bin");
        var pushed = await PushAsync(Model);
        pushed.Files.Single(file => file.Change == HubChange.Ignored).Path.ShouldBe("empty.bin");
        server.Repositories["models/owner/name"].FilesAt(pushed.Reference.Revision!).ShouldNotContain(file => file.Path == "empty.bin");
    }

    [Fact]
    public async Task Sending_is_tried_again_from_the_files_beginning()
    {
        server.Storage.First = async (context, number) =>
        {
            if (number > 1) return false;
            await TestServer.StatusAsync(context, 500);
            return true;
        };
        var pushed = await PushAsync(Model);
        pushed.Sent.ShouldBe(5000 + new FileInfo(folder.File("README.md")).Length);
        RequireEqual(server.Repositories["models/owner/name"], "main");
    }

    [Fact]
    public async Task A_commit_whose_answer_was_lost_is_not_made_twice()
    {
        server.AddModel();
        bool isCut = false;
        server.First = (context, _) =>
        {
            if (!isCut && context.Request.Path.Value!.Contains("/commit/", StringComparison.Ordinal))
            {
                isCut = true;
                context.Response.OnStarting(() =>
                {
                    context.Abort();
                    return Task.CompletedTask;
                });
            }

            return Task.FromResult(false);
        };
        var pushed = await PushAsync(Model);
        server.Commits.Count.ShouldBe(1);
        pushed.Reference.Revision.ShouldBe(server.Repositories["models/owner/name"].Branches["main"]);
    }

    [Fact]
    public async Task Somebody_elses_commit_in_between_is_not_overwritten()
    {
        var repository = server.AddModel();
        server.First = (context, _) =>
        {
            if (context.Request.Path.Value!.Contains("/commit/", StringComparison.Ordinal))
                repository.Commit("main", HubServer.Small("README.md", "theirs"));
            return Task.FromResult(false);
        };
        var fault = await FaultAsync(Model, HubFault.Conflict);
        fault.Message.ShouldContain("Nothing of this push is visible");
        repository.FilesAt(repository.Branches["main"]).Single().Content.ShouldBe("theirs"u8.ToArray());
    }

    [Fact]
    public async Task What_cannot_be_pushed_is_said_before_anything_is_sent()
    {
        (await FaultAsync(Model with { Revision = new string('a', 40) }, HubFault.Refused)).Message.ShouldContain("names a commit");
        File.Delete(folder.File("README.md"));
        (await FaultAsync(Model, HubFault.Refused)).Message.ShouldContain("README.md");
        folder.File("README.md", "# Card\n");
        File.CreateSymbolicLink(folder.File("secret"), "/etc/hostname");
        (await FaultAsync(Model, HubFault.Refused)).Message.ShouldContain("'secret'");
        File.Delete(folder.File("secret"));
        (await FaultAsync(Model, HubFault.Unauthorized, options => options with { Token = null })).Message.ShouldContain("HF_TOKEN");
        (await FaultAsync(Model, HubFault.Offline, options => options with { IsOffline = true })).Message.ShouldContain("HF_HUB_OFFLINE");
        server.Calls.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_git_and_caches_keep_beside_the_data_stays_at_home()
    {
        folder.File(".git/config", "x");
        folder.File(".cache/huggingface/x", "x");
        folder.File(".README.md.1-1.tmp", "x");
        (await PushAsync(Model)).Files.Select(file => file.Path).ShouldBe(["README.md", "empty.bin", "onnx/model.onnx"]);
    }

    [Fact]
    public async Task A_commits_lines_are_JSON_with_the_files_exact_bytes()
    {
        byte[] content = [.. Enumerable.Range(0, 500_003).Select(i => (byte)(i % 251 + 1))];
        await File.WriteAllBytesAsync(folder.File("a \"name\".txt"), content, Cancellation);
        server.LargeFrom = int.MaxValue;
        await PushAsync(Model);
        var repository = server.Repositories["models/owner/name"];
        repository.FilesAt(repository.Branches["main"]).Single(file => file.Path == "a \"name\".txt").Content.AsSpan()
            .SequenceEqual(content).ShouldBeTrue();
    }

    private async Task<HubPushResult> PushAsync(HubReference target, HubPushOptions? push = null)
    {
        using var client = server.Client(home, clock: clock);
        return await client.PushAsync(folder.Path, target, push, cancellation: Cancellation);
    }

    private async Task<HubException> FaultAsync(HubReference target, HubFault expected, Func<HubOptions, HubOptions>? change = null)
    {
        using var client = server.Client(home, change, clock);
        var fault = await Should.ThrowAsync<HubException>(() => client.PushAsync(folder.Path, target, cancellation: Cancellation));
        fault.Fault.ShouldBe(expected, fault.Message);
        return fault;
    }

    private void RequireEqual(TestRepository repository, string branch)
    {
        var remote = repository.FilesAt(repository.Branches[branch]).Where(file => file.Path != ".gitattributes")
            .ToDictionary(file => file.Path);
        string[] local = [.. Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories)];
        remote.Keys.ShouldBe(local.Select(path => Path.GetRelativePath(folder.Path, path)), ignoreOrder: true);
        foreach (string path in local) remote[Path.GetRelativePath(folder.Path, path)].Content.ShouldBe(File.ReadAllBytes(path));
    }
}
