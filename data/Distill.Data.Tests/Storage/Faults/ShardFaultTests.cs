using Distill.Storage;

namespace Distill.Data.Tests.Storage.Faults;

/// <summary>One row per problem and sample, wherever the making of a shard of traces is interrupted or refused.</summary>
public sealed class ShardFaultTests
{
    private const int Rows = 48, RowsPerPart = 24;

    private readonly string digest;
    private readonly List<(CommitStep Step, string Path)> steps = [];

    public ShardFaultTests()
    {
        using var undisturbed = new TemporaryFolder();
        digest = ShardScenario.Run(undisturbed["traces"], Rows, RowsPerPart, new Recorder(steps)).Digest;
    }

    [Fact]
    public void Killed_before_any_step_the_shard_is_whole_or_absent_and_the_next_process_finishes_it()
    {
        steps.Count.ShouldBeGreaterThan(35);
        Parallel.For(1, steps.Count + 2, new ParallelOptions { MaxDegreeOfParallelism = 3 }, step =>
        {
            using var folder = new TemporaryFolder();
            int code = ChildProcess.Run("shards", [folder["traces"], $"{Rows}", $"{RowsPerPart}", $"{step}"]);
            (code == 0).ShouldBe(step > steps.Count, $"before step {step}"); // otherwise the child died for another reason
            RequireFinished(folder["traces"], $"killed before step {step}");
        });
    }

    /// <summary>Every operation refused in turn, by a full disk and by a broken one, until a run gets through.</summary>
    [Theory]
    [InlineData(28)] // ENOSPC
    [InlineData(5)] // EIO
    [InlineData(4)] // EINTR that a library did not repeat
    public void Refused_at_any_step_the_shard_is_whole_or_absent_and_the_next_run_finishes_it(int error)
    {
        bool survived = false;
        for (int step = 1; !survived; step++)
        {
            using var folder = new TemporaryFolder();
            try
            {
                ShardScenario.Run(folder["traces"], Rows, RowsPerPart, new RefuseAt(step, error));
                survived = true;
                step.ShouldBe(steps.Count + 1);
            }
            catch (IOException fault)
            {
                fault.HResult.ShouldBe(error);
            }

            RequireFinished(folder["traces"], $"error {error} at step {step}");
        }
    }

    /// <summary>A write that the system really refuses: beyond so many blocks a file may not grow.</summary>
    [Fact]
    public void A_disk_that_ends_in_the_middle_of_a_file_leaves_nothing_half_done()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There is no limit on file sizes on Windows.");
        List<int> codes = [];
        foreach (int blocks in (int[])[0, 1, 2, 4, 6, 8, 12, 1 << 20]) // of 512 bytes
        {
            using var folder = new TemporaryFolder();
            codes.Add(ChildProcess.Run(
                "shards", [folder["traces"], $"{Rows}", $"{RowsPerPart}", "0"], $"trap '' XFSZ; ulimit -f {blocks}"));
            RequireFinished(folder["traces"], $"a limit of {blocks} blocks");
        }

        codes[^1].ShouldBe(0);
        codes.ShouldContain(3);
    }

    /// <summary>
    /// After a power failure only what was flushed is there: a name must not become visible before its bytes are on disk, and no manifest
    /// before the names that it names are.
    /// </summary>
    [Fact]
    public void Bytes_are_on_disk_before_their_name_and_names_before_the_manifest()
    {
        foreach (var file in steps.Where(step => step.Step == CommitStep.Link).Select(step => step.Path))
        {
            int link = Position(CommitStep.Link, file), flush = Position(CommitStep.Flush, file);
            flush.ShouldBeInRange(0, link - 1, file);
            Position(CommitStep.SyncFolder, file).ShouldBeInRange(link + 1, steps.Count, file);
        }

        string manifest = steps.Last(step => step.Step == CommitStep.Link).Path;
        Path.GetFileName(manifest).ShouldStartWith("manifest-");
        int last = Position(CommitStep.Link, manifest);
        steps.Where(step => step.Step == CommitStep.Done && step.Path != manifest).Select(step => Position(CommitStep.Done, step.Path))
            .ShouldAllBe(done => done < last);
        int log = steps.FindIndex(step => step.Step == CommitStep.LogPart);
        steps.Skip(log).Take(3).Select(step => step.Step).ShouldBe([CommitStep.LogPart, CommitStep.FlushLog, CommitStep.SyncFolder]);
    }

    private int Position(CommitStep step, string path) => steps.FindIndex(seen => seen.Step == step && seen.Path == path);

    private void RequireFinished(string folder, string what)
    {
        if (Artifact.TryOpen(folder) is { } whole) whole.Digest.ShouldBe(digest, what);
        var finished = ShardScenario.Run(folder, Rows, RowsPerPart);
        finished.Digest.ShouldBe(digest, what);
        ShardScenario.RequireWhole(finished, Rows, RowsPerPart);
    }

    private sealed class Recorder(List<(CommitStep Step, string Path)> steps) : ICommitHook
    {
        public void Before(CommitStep step, string path) => steps.Add((step, path));
    }

    private sealed class RefuseAt(int step, int error) : ICommitHook
    {
        private int seen;

        public void Before(CommitStep current, string path)
        {
            if (++seen == step) throw new IOException($"refused before {current}", error);
        }
    }
}
