using Distill.Storage;

namespace Distill.Data.Tests.Storage;

/// <summary>A lock is held by one, also while its file is being removed under those who take it.</summary>
public sealed class FileLockTests
{
    [Fact]
    public async Task Removed_again_and_again_a_lock_is_held_by_one_at_a_time()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "This system cannot tell a removed lock from one that is there");
        using var folder = new TemporaryFolder();
        string path = folder["a.lock"];
        int holders = 0, most = 0, taken = 0, removed = 0;
        using var end = new CancellationTokenSource();
        var remover = Task.Run(() =>
        {
            while (!end.IsCancellationRequested)
            {
                if (FileLock.TryRemove(path)) removed++;
            }
        });
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() =>
        {
            for (int turn = 0; turn < 200; turn++)
            {
                using var held = FileLock.Take(path, "a test", _ => { }, CancellationToken.None);
                most = Math.Max(most, Interlocked.Increment(ref holders));
                Thread.Yield();
                Interlocked.Decrement(ref holders);
                Interlocked.Increment(ref taken);
            }
        })));
        await end.CancelAsync();
        await remover;
        most.ShouldBe(1);
        taken.ShouldBe(600);
        removed.ShouldBeGreaterThan(0);
    }

    [Fact]
    public void A_lock_that_somebody_holds_is_not_removed()
    {
        using var folder = new TemporaryFolder();
        string path = folder["a.lock"];
        FileLock.TryRemove(path).ShouldBeFalse();
        using (FileLock.TryTake(path, "a test"))
        {
            FileLock.TryRemove(path).ShouldBeFalse();
            FileLock.IsHeld(path).ShouldBeTrue();
        }

        FileLock.TryRemove(path).ShouldBe(OperatingSystem.IsLinux());
        FileLock.IsHeld(path).ShouldBeFalse();
    }
}
