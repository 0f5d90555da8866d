using Distill.Data.Sources;
using Distill.Hub;
using Distill.Pipeline.Problems;

namespace Distill.Pipeline.Tests.Recipes;

/// <summary>Data sets that the cache of the Hub's client has already, in the layout that Python leaves there.</summary>
public sealed class HubDataSetTests : IDisposable
{
    private const string Commit = "0123456789abcdef0123456789abcdef01234567";

    private readonly TemporaryFolder cache = new();

    public void Dispose() => cache.Dispose();

    [Fact]
    public void The_card_names_the_files_of_a_split_and_the_commit_is_told()
    {
        Snapshot("README.md", "---\nlicense: mit\nconfigs:\n- config_name: main\n  data_files:\n  - split: train\n    path: main/t*\n"
            + "  - split: test\n    path: main/x*\n---\n");
        Snapshot("main/t-0.jsonl", "{}");
        Snapshot("main/x-0.jsonl", "{}");

        var pulled = Pull("owner/name@main", "main", "test");

        (pulled.Repository, pulled.Commit).ShouldBe(("owner/name", Commit));
        DataSetFolder.Files(pulled.Folder, "main", "test").ShouldHaveSingleItem().Name.ShouldBe("main/x-0.jsonl");
        DataSetFolder.LicenceOf(pulled.Folder).ShouldBe("mit");
    }

    [Fact]
    public void Without_configurations_names_say_which_files_are_which()
    {
        Snapshot("README.md", "# A card");
        Snapshot("data/train-00000-of-00001.jsonl", "{}");
        Snapshot("data/dev-00000-of-00001.jsonl", "{}");

        var pulled = Pull("hf://datasets/owner/name", null, "validation");

        DataSetFolder.Files(pulled.Folder, null, "validation").ShouldHaveSingleItem().Name.ShouldBe("data/dev-00000-of-00001.jsonl");
    }

    [Fact]
    public void What_is_not_there_is_said()
    {
        Should.Throw<HubException>(() => Pull("owner/other", null, "train"));
        Should.Throw<InvalidDataException>(() => Pull("gsm8k", null, "train")).Message.ShouldContain("owner and name");
    }

    private HubDataSet Pull(string reference, string? config, string split) => HubDataSet.Pull(
        reference, config, split, new HubOptions { CacheFolder = cache.Path, IsOffline = true }, TestContext.Current.CancellationToken);

    private void Snapshot(string name, string content)
    {
        cache.File("datasets--owner--name/refs/main", Commit);
        cache.File($"datasets--owner--name/snapshots/{Commit}/{name}", content);
    }
}
