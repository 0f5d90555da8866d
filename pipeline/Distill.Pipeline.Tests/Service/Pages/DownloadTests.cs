using System.IO.Compression;
using System.Net;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.Publishing;
using Distill.Pipeline.Tests.Testing;
using Distill.Storage;

namespace Distill.Pipeline.Tests.Service.Pages;

/// <summary>Files that leave the store: those that a manifest names, to be saved, and nothing else.</summary>
public sealed class DownloadTests : IAsyncLifetime
{
    private readonly SampleTraceStore store = new(problems: 4);
    private PageServer? server;

    private PageServer Server => server!;

    private static CancellationToken Ending => TestContext.Current.CancellationToken;

    private (StoreKey Key, int Version) Problems => new RunFolder(store.Runs, "sample").LinkOf("1-problems/train")!.Value;

    private string Place => $"/artefacts/{Problems.Key.Kind}/{Problems.Key.Digest}";

    public async ValueTask InitializeAsync() => server = await PageServer.StartAsync(store.Runs);

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        store.Dispose();
    }

    [Fact]
    public async Task A_file_comes_out_whole_to_be_saved_and_not_shown()
    {
        string page = await Server.PageAsync(Place);
        page.ShouldContain($"<a href=\"{Place}/problems.jsonl\" download>problems.jsonl</a>");
        using var response = await Server.Client.GetAsync($"{Place}/problems.jsonl", Ending);
        response.Content.Headers.ContentDisposition!.ToString().ShouldBe("attachment; filename=\"problems.jsonl\"");
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/octet-stream");
        response.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        (await response.Content.ReadAsByteArrayAsync(Ending)).ShouldBe(File.ReadAllBytes(FileOf("problems.jsonl")));
    }

    [Fact]
    public async Task All_files_come_out_in_one()
    {
        using var response = await Server.Client.GetAsync($"{Place}?as=zip", Ending);
        response.Content.Headers.ContentDisposition!.DispositionType.ShouldBe("attachment");
        using var archive = new ZipArchive(new MemoryStream(await response.Content.ReadAsByteArrayAsync(Ending)));
        archive.Entries.Select(entry => entry.FullName).Order().ShouldBe(["problems.jsonl", "sources.json"]);
        using var reader = new StreamReader(archive.GetEntry("problems.jsonl")!.Open());
        (await reader.ReadToEndAsync(Ending)).ShouldBe(File.ReadAllText(FileOf("problems.jsonl")));
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/../problems.jsonl")]
    [InlineData("/%2e%2e/%2e%2e/%2e%2e/secret.txt")]
    [InlineData("/..%2f..%2f..%2fsecret.txt")]
    [InlineData("//etc/passwd")]
    [InlineData("/manifest-1.json")]
    [InlineData("/beside.txt")]
    [InlineData("~2/problems.jsonl")]
    [InlineData("~0/problems.jsonl")]
    public async Task What_the_manifest_does_not_name_stays(string rest)
    {
        File.WriteAllText(store["secret.txt"], "secret");
        File.WriteAllText(FileOf("beside.txt"), "secret");
        using var response = await Server.Client.GetAsync(new Uri(Server.Address, Place + rest), Ending);
        (await response.Content.ReadAsStringAsync(Ending)).ShouldNotContain("secret");
        if (rest != "/") response.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_link_in_the_place_of_a_file_is_not_followed()
    {
        File.WriteAllText(store["secret.txt"], "secret");
        File.Delete(FileOf("sources.json"));
        File.CreateSymbolicLink(FileOf("sources.json"), store["secret.txt"]);
        (await Server.StatusAsync($"{Place}/sources.json")).ShouldBe(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("/artefacts/..%2f..%2fother/0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("/artefacts/problems/0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("/artefacts/problems/sample")]
    [InlineData("/artefacts/.locks/0000000000000000000000000000000000000000000000000000000000000000")]
    public async Task What_is_no_artefact_is_not_found(string path) =>
        (await Server.StatusAsync(path)).ShouldBe(HttpStatusCode.NotFound);

    [Theory]
    [InlineData("/")]
    [InlineData("/runs")]
    [InlineData("/runs/sample")]
    [InlineData("/runs/sample/traces")]
    [InlineData("/runs/sample/log.txt")]
    [InlineData("/compare")]
    [InlineData("/models")]
    [InlineData("/store")]
    [InlineData("/schedules/nightly")]
    [InlineData("/service.js")]
    [InlineData("/api/overview")]
    [InlineData("/api/runs/sample/traces")]
    [InlineData("/api/store")]
    public async Task Who_has_no_key_sees_nothing_and_who_may_look_sees_all(string path)
    {
        string runs = Path.Combine(store.Runs, "keyed");
        SmallRun.Copy(Path.Combine(store.Runs, ArtifactStore.FolderName), Path.Combine(runs, ArtifactStore.FolderName));
        SmallRun.Copy(Path.Combine(store.Runs, "sample"), Path.Combine(runs, "sample"));
        await using var keyed = await PageServer.StartAsync(runs, hasKeys: true);
        (await keyed.StatusAsync(path)).ShouldBe(HttpStatusCode.Unauthorized);
        (await keyed.StatusAsync($"{Place}/problems.jsonl")).ShouldBe(HttpStatusCode.Unauthorized);
        keyed.SignIn(PageServer.ReadKey);
        (await keyed.StatusAsync(path)).ShouldBe(HttpStatusCode.OK);
        (await keyed.StatusAsync($"{Place}/problems.jsonl")).ShouldBe(HttpStatusCode.OK);
    }

    private string FileOf(string name) => Path.Combine(store.Runs, ArtifactStore.FolderName, Problems.Key.Kind, Problems.Key.Digest, name);
}
