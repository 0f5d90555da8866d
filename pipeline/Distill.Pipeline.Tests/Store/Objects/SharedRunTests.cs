using System.Diagnostics;
using Distill.Data.Tests.Storage.Objects;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Store.Objects;
using Distill.Pipeline.Tests.Sharding;
using Distill.Pipeline.Tests.Testing;
using Distill.Storage;
using Distill.Storage.Objects;

namespace Distill.Pipeline.Tests.Store.Objects;

/// <summary>Runs on machines that share no folder: each has its own, and an object store lies behind them.</summary>
public sealed class SharedRunTests : IClassFixture<ShardRunTests.WholeRun>, IDisposable
{
    private const string Name = "small-data";

    private readonly TemporaryFolder folder = new();
    private readonly MovedClock time = new();
    private readonly MemoryObjectStore objects;

    private sealed class MovedClock : TimeProvider
    {
        public TimeSpan Ahead { get; set; }

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UtcNow + Ahead;
    }

    private readonly ShardRunTests.WholeRun whole;

    public SharedRunTests(ShardRunTests.WholeRun whole)
    {
        this.whole = whole;
        objects = new(time);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Shards_without_a_common_folder_make_the_digests_of_one_process_and_a_third_machine_takes_all()
    {
        Shard("one", 1).EndedEarly.ShouldNotBeNull().ShouldContain("units of other shards are not");
        Shard("two", 0).EndedEarly.ShouldBeNull();
        SmallRun.LockOf(folder["two"], Name).ShouldBe(SmallRun.LockOf(whole.Folder, Name));
        objects.Names.ShouldContain(name => name.StartsWith(ObjectNames.Units, StringComparison.Ordinal)); // one may still be at work

        var observer = new RecordingObserver();
        PipelineRun.Run(whole.Recipe, Options("three"), observer, TimeProvider.System, Cancellation);
        observer.Done.ShouldBeEmpty();
        observer.ReasonOf("traces").ShouldBe("made before, from memory://store");
        SmallRun.LockOf(folder["three"], Name).ShouldBe(SmallRun.LockOf(whole.Folder, Name));
        Shard("one", 1).EndedEarly.ShouldBeNull(); // the first one, once more, finds what the second joined
        SmallRun.LockOf(folder["one"], Name).ShouldBe(SmallRun.LockOf(whole.Folder, Name));
        PipelineRun.Plan(whole.Recipe, Options("four")).Stages.Where(stage => stage.Decision == StageDecision.Run).ShouldBeEmpty();
        Directory.Exists(folder["four/.store/traces"]).ShouldBeFalse(); // looked at, not brought
    }

    /// <summary>Another machine publishes other content while this one works, as processors that round differently make it.</summary>
    [Fact]
    public void Of_two_machines_that_made_unequal_artefacts_both_go_on_with_the_first_one_published()
    {
        var elsewhere = new MemoryObjectStore(TimeProvider.System);
        PipelineRun.Run(whole.Recipe, Options("one", elsewhere), new RecordingObserver(), TimeProvider.System, Cancellation);
        string name = elsewhere.Names.Single(found => found.StartsWith("artefacts/traces/", StringComparison.Ordinal));
        var manifest = ArtifactManifest.ParseFile(elsewhere.Read(name, ArtifactManifest.MaxBytes, Cancellation)!, name);
        var other = manifest with { Facts = new Dictionary<string, string>(manifest.Facts) { ["made"] = "elsewhere" } };
        var late = new PublishingMeanwhile(objects, () =>
        {
            foreach (string content in elsewhere.Names.Where(found => found.StartsWith(ObjectNames.Objects, StringComparison.Ordinal)))
                objects.Put(content, elsewhere.Read(content, 1 << 24, Cancellation)!, Cancellation);
            objects.Put(name, other.ToFile(), Cancellation);
        });
        var observer = new RecordingObserver();
        PipelineRun.Run(whole.Recipe, Options("two", late), observer, TimeProvider.System, Cancellation);
        observer.Warnings.ShouldContain(warning => warning.Contains("published 'traces' of the same inputs first"));
        SmallRun.LockOf(folder["two"], Name).ToString().ShouldContain(other.Digest);
        SmallRun.LockOf(folder["two"], Name).ToString().ShouldNotContain(manifest.Digest);
        PipelineRun.Run(whole.Recipe, Options("two"), new RecordingObserver(), TimeProvider.System, Cancellation); // and once more
    }

    /// <summary>The store fails at some request; the run is asked for again, and nothing is lost and nothing doubled.</summary>
    [Fact]
    public void Interrupted_at_any_request_the_next_run_goes_on()
    {
        TakeCompletions("one");
        int requests = 0, last = 0;
        for (int at = 1; at < 400; at += 7)
        {
            var interrupted = new InterruptedObjectStore(objects, at, hasEffect: at % 2 == 0);
            last = at;
            try
            {
                PipelineRun.Run(whole.Recipe, Options("one", interrupted), new RecordingObserver(), TimeProvider.System, Cancellation);
                break;
            }
            catch (ObjectStoreException)
            {
                requests++;
                if (requests % 3 == 0) // as on another machine
                    Directory.Delete(Path.Combine(folder["one"], ArtifactStore.FolderName), recursive: true);
            }
        }

        requests.ShouldBeGreaterThan(1, $"interrupted last at request {last}");
        SmallRun.LockOf(folder["one"], Name).ShouldBe(SmallRun.LockOf(whole.Folder, Name));
        var store = new SharedStore(objects, TimeProvider.System);
        foreach (var artefact in store.All(fault => throw new InvalidDataException(fault), Cancellation))
            store.Verify(artefact, Cancellation).ShouldBeEmpty();
    }

    /// <summary>Real processes against a server over the network, killed wherever they are; each with a folder of its own.</summary>
    [Fact]
    public async Task Killed_again_and_again_machines_give_the_digests_of_one_process_and_no_secret_is_written()
    {
        await using var server = await S3Server.StartAsync();
        var random = new Random(20_26);
        string recipe = folder.File("small.yaml", ShardRunTests.WholeRun.Text);
        for (int kill = 0; kill < 3; kill++)
        {
            Process[] processes = [.. Enumerable.Range(0, 2).Select(index => Start(server, recipe, index))];
            foreach (var process in processes)
            {
                if (!process.WaitForExit(random.Next(800, 6000))) process.Kill();
                await process.WaitForExitAsync(Cancellation);
                process.Dispose();
            }
        }

        for (int index = 0; index < 2; index++)
        {
            using var process = Start(server, recipe, index);
            await process.WaitForExitAsync(Cancellation);
            process.ExitCode.ShouldBe(0);
        }

        // Whoever ended last joined; the other one's folder has it when it is asked once more.
        using (var again = Start(server, recipe, 0))
        {
            await again.WaitForExitAsync(Cancellation);
            again.ExitCode.ShouldBe(0);
        }

        SmallRun.LockOf(folder["machine-0"], Name).ShouldBe(SmallRun.LockOf(whole.Folder, Name));
        server.ObjectNames.Count(name => name.StartsWith("artefacts/", StringComparison.Ordinal)).ShouldBe(3);
        foreach (string file in Directory.EnumerateFiles(folder.Path, "*", SearchOption.AllDirectories))
            File.ReadAllText(file).ShouldNotContain(S3Server.Secret);
        server.ObjectNames.Select(name => System.Text.Encoding.Latin1.GetString(server.Content(name)))
            .ShouldAllBe(content => !content.Contains(S3Server.Secret));
    }

    [Fact]
    public void What_no_run_names_is_collected_when_it_is_old_and_nothing_else()
    {
        PipelineRun.Run(whole.Recipe, Options("one"), new RecordingObserver(), TimeProvider.System, Cancellation);
        var later = TimeSpan.FromDays(60);
        objects.Put(ObjectNames.Content(FileDigest.Of("x"u8)), "x"u8.ToArray(), Cancellation);
        int all = objects.Names.Count();
        Plan(TimeSpan.Zero).Contents.ShouldBeEmpty(); // young
        var used = Plan(later);
        used.Garbage.ShouldBeEmpty();
        used.Contents.Where(found => !found.Name.StartsWith(ObjectNames.Units, StringComparison.Ordinal)) // and units, long joined
            .ShouldHaveSingleItem().Name.ShouldBe(ObjectNames.Content(FileDigest.Of("x"u8)));

        var runs = new SharedRuns(new SharedStore(objects, TimeProvider.System), Environment.MachineName, TimeProvider.System);
        runs.Forget(runs.List(_ => { }, Cancellation).ShouldHaveSingleItem().Reference, Cancellation).ShouldBeTrue();
        var curated = Plan(later).Artefacts.Single(item => item.Artifact.Key.Kind == "graded-traces").Artifact;
        objects.Put(ObjectNames.Pin(curated.Manifest.Digest), "pinned"u8.ToArray(), Cancellation);
        Plan(later).Garbage.ShouldBeEmpty(); // what it was made from stays with it
        objects.Delete(ObjectNames.Pin(curated.Manifest.Digest), Cancellation);
        var plan = Plan(later);
        plan.Garbage.Count.ShouldBe(3);
        // Somebody pins it after it was planned to go: it and what it was made from stay.
        objects.Put(ObjectNames.Pin(curated.Manifest.Digest), "pinned"u8.ToArray(), Cancellation);
        Collection().Remove(plan, Cancellation);
        objects.Names.Count(name => name.StartsWith(ObjectNames.Artefacts, StringComparison.Ordinal)).ShouldBe(3);
        objects.Delete(ObjectNames.Pin(curated.Manifest.Digest), Cancellation);
        Collection().Remove(Plan(later), Cancellation);
        objects.Names.ShouldBeEmpty();
        all.ShouldBeGreaterThan(6);

        SharedCollectionPlan Plan(TimeSpan ahead)
        {
            time.Ahead = ahead; // the store's own: this machine's clock decides nothing
            return Collection().Plan(Cancellation);
        }
    }

    [Fact]
    public void Old_units_of_a_stage_that_somebody_works_on_are_not_collected_nor_is_what_they_name()
    {
        var key = new StoreKey("traces", new string('a', 64));
        var store = new SharedStore(objects, TimeProvider.System);
        var parts = new SharedParts(store, key, _ => { }, TimeProvider.System, Cancellation);
        string content = folder.File("unit", "content of a unit");
        parts.TryGive(new ArtifactFile("data/0", new FileInfo(content).Length, FileDigest.OfFile(content)), content).ShouldBeTrue();
        time.Ahead = TimeSpan.FromDays(60);
        Collection().Plan(Cancellation).Contents.Count.ShouldBe(2);
        parts.Finish("1-of-2", "{}"u8.ToArray());
        Collection().Plan(Cancellation).Contents.ShouldBeEmpty();
    }

    [Fact]
    public void A_run_that_is_asked_for_less_keeps_what_it_made_before()
    {
        PipelineRun.Run(whole.Recipe, Options("one"), new RecordingObserver(), TimeProvider.System, Cancellation);
        PipelineRun.Run(
            whole.Recipe, Options("one") with { Until = "traces" }, new RecordingObserver(), TimeProvider.System, Cancellation);
        new SharedRuns(new SharedStore(objects, TimeProvider.System), "any", TimeProvider.System).List(_ => { }, Cancellation)
            .ShouldHaveSingleItem().Artefacts.Keys.ShouldContain("curated");
    }

    private SharedCollection Collection()
    {
        var store = new SharedStore(objects, TimeProvider.System);
        return new SharedCollection(store, new SharedRuns(store, Environment.MachineName, TimeProvider.System), TimeSpan.Zero);
    }

    [Fact]
    public void A_record_of_a_run_that_cannot_be_read_stops_a_collection()
    {
        objects.Put(ObjectNames.Runs + "x@y.json", "not JSON"u8.ToArray(), Cancellation);
        var store = new SharedStore(objects, TimeProvider.System);
        Should.Throw<RunRefusedException>(() => new SharedCollection(
            store, new SharedRuns(store, "y", TimeProvider.System), TimeSpan.Zero).Plan(Cancellation));
    }

    private RunOptions Options(string machine, IObjectStore? through = null) => new()
    {
        RunsFolder = folder[machine], Name = Name, Until = "curated", Shared = new SharedPlace("memory://store", () => through ?? objects),
    };

    private RunResult Shard(string machine, int index)
    {
        TakeCompletions(machine);
        return ShardRun.Run(
            whole.Recipe, Options(machine), new ShardNumber(index, 2), new RecordingObserver(), TimeProvider.System, Cancellation);
    }

    private Process Start(S3Server server, string recipe, int index)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        string[] words =
            ["generate", recipe, "--runs", folder[$"machine-{index}"], "--shard", $"{index}/2", "--store", "s3://" + S3Server.Bucket];
        foreach (string word in (string[])[DistillProcess.Tool, .. words]) start.ArgumentList.Add(word);
        foreach (var (name, value) in server.Variables) start.Environment[name] = value;
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    // Somebody else publishes at the moment when the first unit is given.
    private sealed class PublishingMeanwhile(IObjectStore inner, Action publish) : IObjectStore
    {
        private bool isDone;

        public string Place => inner.Place;

        public StoredObject? Look(string name, CancellationToken cancellation) => inner.Look(name, cancellation);

        public bool TryPut(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation)
        {
            if (!isDone && name.StartsWith(ObjectNames.Units + "traces/", StringComparison.Ordinal))
            {
                isDone = true;
                publish();
            }

            return inner.TryPut(name, content, cancellation);
        }

        public void Put(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) =>
            inner.Put(name, content, cancellation);

        public void PutFile(string name, string path, string sha256, CancellationToken cancellation) =>
            inner.PutFile(name, path, sha256, cancellation);

        public byte[]? Read(string name, int most, CancellationToken cancellation) => inner.Read(name, most, cancellation);

        public bool CopyTo(string name, long offset, long most, Stream target, CancellationToken cancellation) =>
            inner.CopyTo(name, offset, most, target, cancellation);

        public IEnumerable<StoredObject> List(string prefix, CancellationToken cancellation) => inner.List(prefix, cancellation);

        public void Delete(string name, CancellationToken cancellation) => inner.Delete(name, cancellation);

        public int AbandonUploads(DateTimeOffset before, CancellationToken cancellation) => inner.AbandonUploads(before, cancellation);

        public void Dispose() => inner.Dispose();
    }

    // The model has answered before: then only who does what is measured, and in no time.
    private void TakeCompletions(string machine)
    {
        string target = Path.Combine(folder[machine], ArtifactStore.FolderName, ".completions");
        if (Directory.Exists(target)) return;
        SmallRun.Copy(Path.Combine(whole.Folder.Path, ArtifactStore.FolderName, ".completions"), target);
    }
}
