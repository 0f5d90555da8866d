using System.Text.Json.Nodes;
using Distill.Data.Tests.Hub.Servers;
using Distill.Pipeline.Models;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Stages.Data;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Runs;

/// <summary>A model that is pulled is the model it is a copy of: the same files, the same traces.</summary>
public sealed class HubRunTests : IAsyncLifetime
{
    private readonly TemporaryFolder folder = new();
    private HubServer server = null!;

    public async ValueTask InitializeAsync() => server = await HubServer.CreateAsync();

    public async ValueTask DisposeAsync()
    {
        await server.Storage.DisposeAsync();
        await server.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public void Traces_of_a_pulled_teacher_are_those_of_the_folder_and_the_lock_names_the_commit()
    {
        string commit = Publish("models/owner/tiny-reasoner", "teacher/models/tiny-reasoner");
        string local = Path.Combine(RepositoryFolder.Root, "teacher/models/tiny-reasoner");
        var there = Run(SmallRun.Text.Replace(local, "\"hf://owner/tiny-reasoner\"", StringComparison.Ordinal), "there");
        var here = Run(SmallRun.Text, "here");
        there["traces"]!["from"]!["teacher-model"]!.ToString().ShouldBe($"hf://owner/tiny-reasoner@{commit}");
        here["traces"]!["from"].ShouldBeNull();
        there["traces"]!["inputs"]!.ToJsonString().ShouldBe(here["traces"]!["inputs"]!.ToJsonString());
        there["curated"]!["output"]!.ToString().ShouldBe(here["curated"]!["output"]!.ToString());
        File.ReadAllText(folder.File("there/recipe.yaml")).ShouldContain($"hf://owner/tiny-reasoner@{commit}");
    }

    private string Publish(string name, string place)
    {
        string root = Path.Combine(RepositoryFolder.Root, place);
        var files = Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Select(path => new TestFile(
            Path.GetRelativePath(root, path), File.ReadAllBytes(path), new FileInfo(path).Length > 100_000));
        return server.Add(name).Commit("main", [.. files]);
    }

    private JsonNode Run(string text, string name)
    {
        using var client = server.Client(folder);
        var models = new HubModels(client, null, TestContext.Current.CancellationToken);
        var recipe = RecipeFile.Parse(text, "small.yaml", RepositoryFolder.Root, [], makesStudent: false, models);
        var options = new RunOptions { RunsFolder = folder.Path, Name = name, Until = CurationStage.StageName, UseOtherRuns = false };
        PipelineRun.Run(recipe, options, new RecordingObserver(), TimeProvider.System, TestContext.Current.CancellationToken);
        return JsonNode.Parse(SmallRun.LockOf(folder, name))!;
    }
}
