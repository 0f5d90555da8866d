using Distill.Pipeline.Runs;
using Distill.Pipeline.Store;
using Distill.Pipeline.Tests.CommandLine;
using Distill.Pipeline.Tests.Testing;
using Distill.Storage;

namespace Distill.Pipeline.Tests.Store;

/// <summary>Artefacts by name, their verification, and the removal of runs.</summary>
public sealed class StoreCommandTests : IDisposable
{
    private readonly SampleStore sample = new();

    public void Dispose() => sample.Dispose();

    [Fact]
    public void An_artefact_is_named_by_digits_by_run_and_stage_and_by_path()
    {
        var sft = sample.Make("sft");
        var run = sample.Run("one", ("4-sft", sft), ("8-evaluation/sft", sample.Make("evaluation/sft")));
        foreach (string word in (string[])[
            sft.Artifact.Digest, sft.Artifact.Digest[..8], sft.Key.Digest[..6],
            sft.Key.Digest[..6].ToUpperInvariant(), sft.Key.Digest[..6] + "~1",
            "one/sft", "one/4-sft", $"{run.Path}/sft", $"{run.Path}/4-sft", sft.Artifact.Folder,
            Path.Combine(run.Path, "4-sft", "data.bin")])
            Named(word).Entry.Folder.ShouldBe(sft.Artifact.Folder, word);
        Named("one/evaluation/sft").Name.ShouldBe("evaluation/sft");
        Named("one/8-evaluation/sft").Name.ShouldBe("evaluation/sft");
        ArtifactReference.RunsFolderOf(Path.Combine(run.Path, "4-sft"), "elsewhere").ShouldBe(sample.Runs);
        ArtifactReference.RunsFolderOf(run.Path, "elsewhere").ShouldBe(sample.Runs);
    }

    [Fact]
    public void A_name_that_fits_several_or_none_is_refused_with_what_it_may_mean()
    {
        var first = sample.Make("sft");
        sample.Make("sft");
        sample.Run("one", ("4-sft", first));
        string digits = first.Key.Digest[..8];
        Refused(digits).ShouldContain($"{first.Key.Digest[..12]}~2");
        Named(digits + "~2").Entry.Version.ShouldBe(2);
        Refused(first.Key.Digest[..3]).ShouldContain("at least 6 digits");
        Refused("fffffffff").ShouldContain("artefacts ls");
        Refused("one").ShouldContain("one/STAGE: sft");
        Refused("one/stf").ShouldContain("did you mean 'sft'");
        Refused("nowhere/sft").ShouldContain("no artefact");
        Refused(Path.Combine(sample.Runs, ".store", "checkpoint", new string('0', 64))).ShouldContain("any more");
        CommandLineRun.Of("artefacts", "show", digits, "--runs", sample.Runs).Code.ShouldBe(2);
    }

    [Fact]
    public void Everything_is_listed_with_its_state_and_who_uses_it()
    {
        sample.Run("one", ("4-sft", sample.Make("sft")));
        sample.Begin("half");
        var lost = sample.Make("lost");
        File.Delete(Path.Combine(lost.Artifact.Folder, "data.bin"));
        var list = CommandLineRun.Of("artefacts", "ls", "--runs", sample.Runs, "--json").Json()
            .GetProperty("artefacts").EnumerateArray().ToList();
        list.Select(item => item.GetProperty("state").GetString()).Order().ShouldBe(["damaged", "finished", "unfinished"]);
        var sft = list.Single(item => item.GetProperty("state").GetString() == "finished");
        sft.GetProperty("stage").GetString().ShouldBe("sft");
        sft.GetProperty("usedBy")[0].GetProperty("run").GetString().ShouldBe("one");
        CommandLineRun.Of("artefacts", "ls", "--runs", sample.Runs).Out.ShouldContain("unfinished");
    }

    [Fact]
    public void A_pin_is_set_shown_and_taken_away()
    {
        var sft = sample.Make("sft");
        CommandLineRun.Of("artefacts", "pin", sft.Key.Digest, "--runs", sample.Runs).Code.ShouldBe(0);
        CommandLineRun.Of("artefacts", "show", sft.Key.Digest, "--runs", sample.Runs).Out.ShouldContain("pinned");
        CommandLineRun.Of("artefacts", "pin", sft.Key.Digest, "--remove", "--runs", sample.Runs).Code.ShouldBe(0);
        sample.Store.IsPinned(sft.Key, sft.Version).ShouldBeFalse();
        sample.Begin("half");
        CommandLineRun.Of("artefacts", "pin", SampleStore.KeyOf("half").Digest, "--runs", sample.Runs).Code.ShouldBe(2);
    }

    /// <summary>A disk that loses a bit changes no time: only reading finds it, and what is remembered must then be corrected.</summary>
    [Fact]
    public void A_flipped_bit_is_found_and_the_next_run_knows()
    {
        var sft = sample.Make("sft");
        string file = Path.Combine(sft.Artifact.Folder, "data.bin");
        CommandLineRun.Of("artefacts", "verify", "--runs", sample.Runs).Code.ShouldBe(0);
        byte[] bytes = File.ReadAllBytes(file);
        string before = FileDigest.OfFile(file);
        bytes[3] ^= 1;
        SmallRun.Unprotect(file);
        File.WriteAllBytes(file, bytes);
        File.AppendAllText(Path.Combine(sample.Store.Root, ".digests"), DigestMemory.Line(FileIdentity.Of(file).Key, before) + "\n");
        Fresh().Peek(sft.Key).ShouldNotBeNull(); // nobody could know

        var run = CommandLineRun.Of("artefacts", "verify", sft.Key.Digest[..8], "--runs", sample.Runs);
        run.Code.ShouldBe(1);
        run.Out.ShouldContain(file);
        run.Out.ShouldContain("makes it again");
        Fresh().Peek(sft.Key).ShouldBeNull();
        Fresh().Find(sft.Key, _ => { }).ShouldBeNull();
        CommandLineRun.Of("artefacts", "verify", "--runs", sample.Runs).Code.ShouldBe(0); // it is set aside
    }

    [Fact]
    public void A_damaged_manifest_is_found_too()
    {
        var sft = sample.Make("sft");
        string manifest = Directory.EnumerateFiles(sft.Artifact.Folder, "manifest-*").Single();
        SmallRun.Unprotect(manifest);
        File.WriteAllText(manifest, File.ReadAllText(manifest)[..^9]);
        var run = CommandLineRun.Of("artefacts", "verify", "--runs", sample.Runs, "--json");
        run.Code.ShouldBe(1);
        run.Json().GetProperty("damaged")[0].GetProperty("faults")[0].GetString()!.ShouldContain("manifest");
    }

    [Fact]
    public void Removing_a_run_follows_no_link_and_leaves_what_is_not_its_own()
    {
        var sft = sample.Make("sft");
        var run = sample.Run("one", ("4-sft", sft), ("1-problems/test", sample.Make("problems/test")));
        sample.Run("two", ("4-sft", sft));
        Directory.CreateDirectory(run.BoardPath);
        File.WriteAllText(Path.Combine(run.BoardPath, "events"), "");
        using var outside = new TemporaryFolder();
        outside.File("kept.txt", "mine");
        Directory.CreateSymbolicLink(Path.Combine(run.Path, "elsewhere"), outside.Path);
        File.WriteAllText(Path.Combine(run.Path, "notes.txt"), "mine");

        var careful = CommandLineRun.Of("runs", "rm", "one", "--runs", sample.Runs);
        careful.Code.ShouldBe(0);
        careful.Out.ShouldContain("--yes");
        var removed = CommandLineRun.Of("runs", "rm", "one", "--runs", sample.Runs, "--yes");
        removed.Code.ShouldBe(0, removed.Error);
        removed.Out.ShouldContain("notes.txt");
        removed.Out.ShouldContain("1 artefacts that no other run uses");
        removed.Out.ShouldContain("distill artefacts gc");
        Directory.EnumerateFileSystemEntries(run.Path).Select(Path.GetFileName).Order().ShouldBe(["elsewhere", "notes.txt"]);
        File.Exists(outside.File("kept.txt")).ShouldBeTrue();
        sample.Catalogue().Items.ShouldAllBe(item => item.IsFinished);
        sample.Catalogue().Items.Count.ShouldBe(2);

        CommandLineRun.Of("runs", "rm", "two", "--runs", sample.Runs, "--yes").Code.ShouldBe(0);
        Directory.Exists(Path.Combine(sample.Runs, "two")).ShouldBeFalse();
        Artifact.Open(sft.Artifact.Folder).Verify().ShouldBeEmpty();
    }

    [Fact]
    public void A_run_that_works_an_old_one_and_what_is_no_run_are_not_removed()
    {
        var run = sample.Run("one", ("4-sft", sample.Make("sft")));
        using (run.Lock()) Remove("one").ShouldContain("being worked on");
        Directory.CreateDirectory(Path.Combine(sample.Runs, "mine"));
        Remove("mine").ShouldContain("There is no run 'mine'");
        string old = Path.Combine(sample.Runs, "old");
        Directory.CreateDirectory(old);
        foreach (string file in (string[])["recipe.yaml", "ledger.json"]) File.WriteAllText(Path.Combine(old, file), "{}");
        Remove("old").ShouldContain("earlier version");
        Directory.EnumerateDirectories(sample.Runs).Count().ShouldBe(4);
        string Remove(string name)
        {
            var refused = CommandLineRun.Of("runs", "rm", name, "--runs", sample.Runs, "--yes");
            refused.Code.ShouldBe(2);
            return refused.Error;
        }
    }

    private ArtifactStore Fresh() => new(sample.Store.Root, TimeProvider.System);

    private CataloguedArtifact Named(string word) => ArtifactReference.Find(sample.Catalogue(), word);

    private string Refused(string word) => Should.Throw<RunRefusedException>(() => Named(word)).Message;
}
