using System.Collections.Concurrent;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.Testing;
using Distill.Storage;

namespace Distill.Pipeline.Tests.Store;

/// <summary>Two at once. Locks of files part threads of one process as they part processes.</summary>
public sealed class StoreConcurrencyTests : IDisposable
{
    private readonly SampleStore sample = new();
    private readonly TemporaryFolder folder = new();

    public void Dispose()
    {
        sample.Dispose();
        folder.Dispose();
    }

    [Fact]
    public async Task Who_wants_what_another_makes_waits_says_so_and_takes_it()
    {
        var key = SampleStore.KeyOf("sft");
        var told = new TaskCompletionSource<string>();
        var held = sample.Store.Lock(key, "run 'first'", _ => { }, CancellationToken.None);
        var other = new ArtifactStore(sample.Store.Root, TimeProvider.System);
        var waiting = Task.Run(() =>
        {
            using (other.Lock(key, "run 'second'", told.SetResult, CancellationToken.None)) return other.Find(key, _ => { });
        });
        (await told.Task).ShouldBe("run 'first'");
        waiting.IsCompleted.ShouldBeFalse();
        var made = sample.Make("sft");
        held.Dispose();
        (await waiting).ShouldNotBeNull().Artifact.Folder.ShouldBe(made.Artifact.Folder);
    }

    [Fact]
    public async Task Two_runs_of_one_recipe_do_each_stage_once_between_them()
    {
        string[] names = ["first", "second"];
        var observers = new ConcurrentBag<RecordingObserver>();
        await Task.WhenAll(names.Select(name => Task.Run(() =>
            observers.Add(SmallRun.Run(folder, new RunOptions { Name = name, Until = "curated" }).Observer))));
        string[] stages = ["problems/train", "traces", "curated"];
        observers.SelectMany(observer => observer.Done).Order().ShouldBe(stages.Order());
        observers.SelectMany(observer => observer.Cached).Order().ShouldBe(stages.Order());
        SmallRun.LockOf(folder, "first").ShouldBe(SmallRun.LockOf(folder, "second"));
    }

    [Fact]
    public void A_run_that_another_process_works_on_is_refused_by_name()
    {
        var run = sample.Run("small");
        using (run.Lock())
        {
            var refused = Should.Throw<RunRefusedException>(() => Start());
            refused.Message.ShouldContain("Another process is working on the run 'small'");
            refused.Message.ShouldContain("--name");
        }
    }

    [Fact]
    public void A_run_does_not_begin_while_artefacts_are_removed()
    {
        using var closed = sample.Store.TryClose();
        Should.Throw<RunRefusedException>(() => Start()).Message.ShouldContain("artefacts gc");
    }

    private RunResult Start() => PipelineRun.Run(
        SmallRun.Parse(), new RunOptions { RunsFolder = sample.Runs }, new RecordingObserver(),
        TimeProvider.System, CancellationToken.None);
}
