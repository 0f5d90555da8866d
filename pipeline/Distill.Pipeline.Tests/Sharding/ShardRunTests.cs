using System.Diagnostics;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.CommandLine;
using Distill.Pipeline.Tests.Testing;
using Distill.Storage;

namespace Distill.Pipeline.Tests.Sharding;

/// <summary>One data set made by several processes: the same bytes, whoever made which part and whoever was killed.</summary>
public sealed class ShardRunTests(ShardRunTests.WholeRun whole) : IClassFixture<ShardRunTests.WholeRun>, IDisposable
{
    private const string Name = "small-data";

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void The_last_of_the_shards_joins_what_all_have_made(int count)
    {
        TakeCompletions();
        for (int index = count - 1; index > 0; index--)
        {
            Shard(index, count).EndedEarly.ShouldNotBeNull().ShouldContain("units of other shards are not");
            Directory.Exists(Path.Combine(folder.Path, Name)).ShouldBeFalse();
        }

        Shard(0, count).EndedEarly.ShouldBeNull();
        SmallRun.LockOf(folder, Name).ShouldBe(SmallRun.LockOf(whole.Folder, Name));
        Directory.GetDirectories(folder.Path, "*.shard-*").ShouldBeEmpty(); // nothing is left but the run itself
        Directory.GetDirectories(Path.Combine(folder.Path, ".store", ".shards")).ShouldBeEmpty();
        Shard(0, count).EndedEarly.ShouldBeNull(); // and once more, with everything done
    }

    /// <summary>Units of two series, a part that was damaged, and one that nobody made.</summary>
    [Fact]
    public void A_later_run_takes_what_is_there_and_makes_the_rest()
    {
        TakeCompletions();
        Shard(1, 4);
        Shard(0, 2);
        string shards = Directory.GetDirectories(Path.Combine(folder.Path, ".store", ".shards")).Single();
        string damaged = Directory.GetFiles(Path.Combine(shards, "1-of-4"), "*.parquet", SearchOption.AllDirectories).Single();
        using (var file = new FileStream(damaged, FileMode.Open, FileAccess.ReadWrite))
        {
            file.Position = file.Length / 2;
            file.WriteByte((byte)(file.ReadByte() ^ 0xFF));
        }

        var observer = new RecordingObserver();
        PipelineRun.Run(whole.Recipe, Options(), observer, TimeProvider.System, TestContext.Current.CancellationToken);
        observer.Warnings.ShouldContain(warning => warning.Contains("is not what was written and is made again"));
        SmallRun.LockOf(folder, Name).ShouldBe(SmallRun.LockOf(whole.Folder, Name));
    }

    /// <summary>Real processes, two shards that are killed wherever they are and begun again until they are done.</summary>
    [Fact]
    public void Killed_again_and_again_shards_give_the_digests_of_an_undisturbed_run()
    {
        var random = new Random(20_26);
        string recipe = folder.File("small.yaml", WholeRun.Text);
        for (int kill = 0; kill < 3; kill++)
        {
            Process[] processes = [.. Enumerable.Range(0, 2).Select(index => Start(recipe, index))];
            foreach (var process in processes)
            {
                if (!process.WaitForExit(random.Next(800, 6000))) process.Kill();
                process.WaitForExit();
                process.Dispose();
            }
        }

        for (int index = 0; index < 2; index++)
        {
            using var process = Start(recipe, index);
            process.WaitForExit();
            process.ExitCode.ShouldBe(0);
        }

        SmallRun.LockOf(folder, Name).ShouldBe(SmallRun.LockOf(whole.Folder, Name));
    }

    /// <summary>One shard taken for dead wakes after its successor and the joining are done.</summary>
    [Fact]
    public async Task Two_processes_of_one_shard_come_one_after_the_other()
    {
        TakeCompletions();
        for (int turn = 0; turn < 8; turn++) // the first makes it; later ones find it made, so that their ends come closer together
        {
            var results = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() => Shard(0, 1))));
            results.Count(result => result.EndedEarly is null).ShouldBeInRange(1, 3);
            SmallRun.LockOf(folder, Name).ShouldBe(SmallRun.LockOf(whole.Folder, Name));
        }
    }

    [Fact]
    public void A_shard_that_has_just_begun_keeps_its_right_while_another_process_removes_what_was_joined()
    {
        var store = new ArtifactStore(folder["store"], TimeProvider.System);
        var units = new ShardedUnits(store, Store.SampleStore.KeyOf("traces"));
        ShardNumber begun = new(0, 2), joined = new(1, 2);
        Directory.CreateDirectory(units.FolderOf(joined));
        units.Finish(joined, 4);
        using (units.Lock(begun, "one", _ => { }, CancellationToken.None))
        {
            units.Remove();
            Directory.Exists(units.FolderOf(joined)).ShouldBeFalse();
            using var tired = new CancellationTokenSource();
            Should.Throw<OperationCanceledException>(() => units.Lock(begun, "two", _ => tired.Cancel(), tired.Token).Dispose());
            Directory.CreateDirectory(units.FolderOf(begun));
            units.Remove();
            Directory.Exists(units.FolderOf(begun)).ShouldBeTrue();
        }

        units.Remove();
        Directory.Exists(store.ShardsFolder(Store.SampleStore.KeyOf("traces"))).ShouldBeFalse();
        units.Remove();
        units.Missing().ShouldBeNull();
    }

    [Fact]
    public async Task Several_processes_may_remove_at_once()
    {
        var key = Store.SampleStore.KeyOf("traces");
        for (int turn = 0; turn < 20; turn++)
        {
            var first = new ShardedUnits(new ArtifactStore(folder["store"], TimeProvider.System), key);
            for (int index = 0; index < 4; index++)
            {
                Directory.CreateDirectory(first.FolderOf(new(index, 4)));
                first.Finish(new(index, 4), 4);
            }

            await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(
                () => new ShardedUnits(new ArtifactStore(folder["store"], TimeProvider.System), key).Remove())));
            first.Remove();
            first.Missing().ShouldBeNull();
        }
    }

    [Fact]
    public void What_shards_cannot_keep_is_refused_before_anything_is_done()
    {
        string recipe = folder.File("small.yaml", WholeRun.Text);
        CommandLineRun.Of("generate", recipe, "--runs", folder.Path, "--shard", "2/2").Error.ShouldContain("0 to 1");
        CommandLineRun.Of("generate", recipe, "--runs", folder.Path, "--shard", "0/2", "--no-cache").Code.ShouldBe(2);
        var timed = CommandLineRun.Of("generate", recipe, "--runs", folder.Path, "--shard", "0/2", "--set", "traces.max_time=1");
        timed.Code.ShouldBe(2);
        timed.Error.ShouldContain("every shard would spend them anew");
        Directory.Exists(Path.Combine(folder.Path, ".store")).ShouldBeFalse();
    }

    private RunOptions Options() => new() { RunsFolder = folder.Path, Name = Name, Until = "curated" };

    private RunResult Shard(int index, int count) => ShardRun.Run(
        whole.Recipe, Options(), new ShardNumber(index, count), new RecordingObserver(), TimeProvider.System,
        TestContext.Current.CancellationToken);

    private Process Start(string recipe, int index) => DistillProcess.Start(
        "generate", recipe, "--runs", folder.Path, "--shard", $"{index}/2");

    // The model has answered before: then only who does what is measured, and in no time.
    private void TakeCompletions() => SmallRun.Copy(
        Path.Combine(whole.Folder.Path, ArtifactStore.FolderName, ".completions"),
        Path.Combine(folder.Path, ArtifactStore.FolderName, ".completions"));

    /// <summary>The data set made by one process: four units of traces.</summary>
    public sealed class WholeRun : IDisposable
    {
        public WholeRun() => PipelineRun.Run(
            Recipe, new RunOptions { RunsFolder = Folder.Path, Name = Name, Until = "curated" }, new RecordingObserver(),
            TimeProvider.System, TestContext.Current.CancellationToken);

        internal static string Text { get; } = SmallRun.Text.Replace("train: 48", "train: 1600", StringComparison.Ordinal)
            .Replace("words, level: 1", "arithmetic, level: 2", StringComparison.Ordinal);

        internal TemporaryFolder Folder { get; } = new();

        internal DistillationRecipe Recipe { get; } =
            (DistillationRecipe)RecipeFile.Parse(Text, "small.yaml", RepositoryFolder.Root);

        public void Dispose() => Folder.Dispose();
    }
}
