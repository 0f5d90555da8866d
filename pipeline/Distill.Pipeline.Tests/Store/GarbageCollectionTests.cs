using Distill.Pipeline.Runs;
using Distill.Pipeline.Store;
using Distill.Pipeline.Tests.CommandLine;
using Distill.Pipeline.Tests.Testing;
using Distill.Storage;

namespace Distill.Pipeline.Tests.Store;

/// <summary>What goes, and above all what stays, and why.</summary>
public sealed class GarbageCollectionTests : IDisposable
{
    private readonly SampleStore sample = new();

    public void Dispose() => sample.Dispose();

    [Fact]
    public void What_nobody_refers_to_goes_and_nothing_else()
    {
        var unused = sample.Make("unused");
        var used = sample.Make("used");
        sample.Run("one", ("4-used", used));
        Removed().ShouldBe([unused.Artifact.Folder]);
        Directory.Exists(unused.Artifact.Folder).ShouldBeFalse();
        Artifact.Open(used.Artifact.Folder).Verify().ShouldBeEmpty();
    }

    [Fact]
    public void What_a_run_links_to_stays()
    {
        sample.Run("one", ("1-problems/test", sample.Make("used")));
        Reason("used").ShouldBe("used by one/1-problems/test");
    }

    [Fact]
    public void Units_of_shards_that_never_came_to_an_end_go_when_they_are_old()
    {
        string units = sample.Store.ShardsFolder(SampleStore.KeyOf("traces"));
        Directory.CreateDirectory(Path.Combine(units, "0-of-2"));
        File.WriteAllText(Path.Combine(units, "0-of-2", "part"), "some");
        var listed = CommandLineRun.Of("artefacts", "ls", "--runs", sample.Runs);
        listed.Out.ShouldContain("unfinished");
        listed.Out.ShouldNotContain("damaged");
        CommandLineRun.Of("artefacts", "gc", "--runs", sample.Runs, "--yes").Code.ShouldBe(0);
        Directory.Exists(units).ShouldBeTrue(); // young
        Removed().ShouldBe([units]);
        Directory.Exists(units).ShouldBeFalse();
    }

    [Fact]
    public void Locks_that_nobody_holds_go_when_they_are_old_and_those_that_somebody_holds_stay()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "This system cannot tell a removed lock from one that is there");
        var (held, idle) = (SampleStore.KeyOf("held"), SampleStore.KeyOf("idle"));
        sample.Store.Lock(idle, "one", _ => { }, CancellationToken.None).Dispose();
        string shards = Path.Combine(sample.Store.Root, ArtifactStore.ShardsName);
        FileLock.TryTake(Path.Combine(shards, "run.shard-0-of-2.lock"), "one")!.Dispose();
        using var holder = sample.Store.Lock(held, "two", _ => { }, CancellationToken.None);
        string[] all = Locks();
        all.Length.ShouldBe(3);
        CommandLineRun.Of("artefacts", "gc", "--runs", sample.Runs, "--yes").Code.ShouldBe(0);
        Locks().ShouldBe(all); // young
        new GarbageCollection(sample.Runs, TimeSpan.FromDays(30), SampleStore.InTwoMonths).Remove([], CancellationToken.None);
        Locks().ShouldHaveSingleItem().ShouldEndWith(held.Digest);
        FileLock.TryTake(Locks()[0], "three").ShouldBeNull();

        string[] Locks() => [.. Directory.GetFiles(Path.Combine(sample.Store.Root, ".locks")).Concat(Directory.GetFiles(shards)).Order()];
    }

    [Fact]
    public void A_link_of_a_folder_that_is_no_run_counts_too()
    {
        var run = sample.Run("one", ("4-used", sample.Make("used")));
        File.Delete(Path.Combine(run.Path, RunState.FileName));
        Reason("used").ShouldBe("used by one/4-used");
    }

    [Fact]
    public void What_something_kept_was_made_from_stays_however_far_up()
    {
        var problems = sample.Make("problems");
        var traces = sample.Make("traces", problems);
        sample.Run("one", ("4-sft", sample.Make("sft", traces)));
        var other = sample.Make("other", problems);
        Removed().ShouldBe([other.Artifact.Folder]);
        Reason("problems").ShouldNotBeNull().ShouldContain("made from it");
    }

    [Fact]
    public void Of_equal_artefacts_one_is_enough_of_an_ancestor()
    {
        var first = sample.Make("sft");
        var second = sample.Make("sft");
        second.Artifact.Digest.ShouldBe(first.Artifact.Digest);
        sample.Run("one", ("4-sft", second), ("5-rl", sample.Make("rl", second)));
        Removed().ShouldBe([first.Artifact.Folder]);
    }

    [Fact]
    public void What_is_pinned_stays_until_the_pin_is_taken_away()
    {
        var pinned = sample.Make("pinned");
        sample.Store.Pin(pinned.Key, pinned.Version, pinned: true);
        Removed().ShouldBeEmpty();
        sample.Store.Pin(pinned.Key, pinned.Version, pinned: false);
        Removed().ShouldBe([pinned.Artifact.Folder]);
    }

    [Fact]
    public void What_is_young_stays_and_what_it_was_made_from()
    {
        sample.Make("sft", sample.Make("traces"));
        new GarbageCollection(sample.Runs, TimeSpan.FromDays(30), TimeProvider.System).Plan().ShouldAllBe(item => item.IsKept);
        Removed().Count.ShouldBe(2);
    }

    [Fact]
    public void Work_on_old_work_makes_it_young()
    {
        string work = sample.Begin("half");
        Directory.SetLastWriteTimeUtc(work, DateTime.UtcNow.AddDays(-90));
        new GarbageCollection(sample.Runs, TimeSpan.FromDays(30), TimeProvider.System).Plan().ShouldHaveSingleItem().IsKept.ShouldBeTrue();
        File.SetLastWriteTimeUtc(Path.Combine(work, "part-0000"), DateTime.UtcNow.AddDays(-90));
        new GarbageCollection(sample.Runs, TimeSpan.FromDays(30), TimeProvider.System).Plan().ShouldHaveSingleItem().IsKept.ShouldBeFalse();
    }

    [Fact]
    public void What_is_being_made_stays()
    {
        string work = sample.Begin("half");
        using (sample.Store.Lock(SampleStore.KeyOf("half"), "a test", _ => { }, CancellationToken.None)) Removed().ShouldBeEmpty();
        Removed().ShouldBe([work]);
    }

    [Fact]
    public void Damaged_and_unfinished_work_goes_and_the_place_of_a_later_version()
    {
        var damaged = sample.Make("damaged");
        SmallRun.Unprotect(Path.Combine(damaged.Artifact.Folder, "data.bin"));
        File.WriteAllText(Path.Combine(damaged.Artifact.Folder, "data.bin"), "something else");
        sample.Store.Find(damaged.Key, _ => { }).ShouldBeNull(); // sets it aside
        sample.Make("again");
        string second = sample.Begin("again");
        Removed().Count.ShouldBe(3);
        sample.Catalogue().Items.ShouldBeEmpty();
        Directory.Exists(Path.GetDirectoryName(second)).ShouldBeFalse();
    }

    [Fact]
    public void What_a_run_took_since_it_was_shown_stays()
    {
        var unused = sample.Make("unused");
        var collection = new GarbageCollection(sample.Runs, TimeSpan.FromDays(30), SampleStore.InTwoMonths);
        var shown = collection.Plan().Select(item => item.Artifact).ToList();
        sample.Run("late", ("4-unused", unused));
        collection.Remove(shown, CancellationToken.None).ShouldBeEmpty();
        Directory.Exists(unused.Artifact.Folder).ShouldBeTrue();
    }

    [Fact]
    public void While_a_run_works_nothing_is_removed()
    {
        sample.Make("unused");
        using (sample.Store.TryUse())
        {
            var run = CommandLineRun.Of("artefacts", "gc", "--older-than", "0", "--yes", "--runs", sample.Runs);
            run.Code.ShouldBe(2);
            run.Error.ShouldContain("Nothing was removed");
            CommandLineRun.Of("artefacts", "gc", "--older-than", "0", "--dry-run", "--runs", sample.Runs).Code.ShouldBe(0);
        }

        sample.Catalogue().Items.Count.ShouldBe(1);
    }

    [Fact]
    public void Redirected_it_removes_only_when_told_and_says_so()
    {
        sample.Make("unused");
        string[] command = ["artefacts", "gc", "--older-than", "0", "--runs", sample.Runs];
        CommandLineRun.Of([.. command, "--dry-run"]).Out.ShouldContain("Would remove 1 of 1");
        var careful = CommandLineRun.Of(command);
        careful.Code.ShouldBe(0);
        careful.Out.ShouldContain("--yes");
        sample.Catalogue().Items.Count.ShouldBe(1);
        CommandLineRun.Of([.. command, "--yes", "--json"]).Json().GetProperty("removed").GetArrayLength().ShouldBe(1);
        sample.Catalogue().Items.ShouldBeEmpty();
    }

    private List<string> Removed()
    {
        var collection = new GarbageCollection(sample.Runs, TimeSpan.FromDays(30), SampleStore.InTwoMonths);
        var garbage = collection.Plan().Where(item => !item.IsKept).Select(item => item.Artifact);
        return [.. collection.Remove(garbage, CancellationToken.None).Select(item => item.Entry.Folder)];
    }

    private string? Reason(string stage) => new GarbageCollection(sample.Runs, TimeSpan.FromDays(30), SampleStore.InTwoMonths).Plan()
        .Single(item => item.Artifact.Name == stage).KeptBecause;
}
