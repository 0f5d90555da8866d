using System.Text;
using System.Text.Json.Nodes;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Store;
using Distill.Storage;

namespace Distill.Pipeline.Tests.Store;

/// <summary>A clock that is ahead by so much: what was made a moment ago is as old as that.</summary>
internal sealed class AheadClock(TimeSpan ahead) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UtcNow + ahead;
}

/// <summary>A folder of runs with a small store that no training made.</summary>
internal sealed class SampleStore : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public SampleStore() => Store = new ArtifactStore(Path.Combine(folder.Path, ArtifactStore.FolderName), TimeProvider.System);

    public string Runs => folder.Path;

    public ArtifactStore Store { get; }

    public static TimeProvider InTwoMonths { get; } = new AheadClock(TimeSpan.FromDays(60));

    /// <summary>A finished artefact; made twice, it gets a second version.</summary>
    public StoredArtifact Make(string stage, params StoredArtifact[] inputs)
    {
        var key = KeyOf(stage);
        string work = Store.WorkFolder(key);
        Directory.CreateDirectory(work);
        var writer = new ArtifactWriter(work, key.Kind, 1, [.. inputs.Select(input => input.Artifact.Digest)]);
        writer.Write("data.bin", Encoding.UTF8.GetBytes($"content of {stage}"));
        writer.Fact(StageKey.DigestFact, key.Digest);
        writer.Fact(StageKey.SummaryFact, $"made {stage}");
        writer.Fact(StageKey.TextFact, CanonicalJson.Write(new JsonObject
        {
            ["stage"] = stage, ["version"] = 1, ["options"] = new JsonObject(),
            ["inputs"] = new JsonObject(inputs.Select((input, i) => KeyValuePair.Create($"input{i}", (JsonNode?)input.Artifact.Digest))),
        }));
        writer.Commit();
        return Store.Finished(work);
    }

    /// <summary>Work that was begun and not finished.</summary>
    public string Begin(string stage)
    {
        string work = Store.WorkFolder(KeyOf(stage));
        Directory.CreateDirectory(work);
        File.WriteAllText(Path.Combine(work, "part-0000"), "some");
        return work;
    }

    public static StoreKey KeyOf(string stage) => new("checkpoint", FileDigest.Of(Encoding.UTF8.GetBytes(stage)));

    /// <summary>A run that links to artefacts under their stages' names.</summary>
    public RunFolder Run(string name, params (string Link, StoredArtifact Artifact)[] links)
    {
        var run = new RunFolder(Runs, name);
        Directory.CreateDirectory(run.Path);
        new RunState(RunState.CurrentFormat, RunProgress.Finished, null, run.Path, null, DateTimeOffset.UtcNow).Write(run.Path);
        File.WriteAllText(run.RecipePath, "name: sample\n");
        foreach (var (link, artifact) in links) run.Link(link, artifact.Artifact.Folder);
        return run;
    }

    public ArtifactCatalogue Catalogue() => ArtifactCatalogue.Read(Runs, TimeProvider.System);

    public void Dispose() => folder.Dispose();
}
