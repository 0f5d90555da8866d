using Distill.Storage;

namespace Distill.Data.Tests.Storage;

/// <summary>
/// Interrupts a commit before each of its steps; the run that is interrupted after the last step gets through undisturbed.
/// </summary>
public sealed class CommitSweepTests
{
    [Fact]
    public void Killed_before_any_step_an_artefact_is_whole_or_absent_and_the_next_run_finishes_it()
    {
        using var undisturbed = new TemporaryFolder();
        var count = new CountSteps();
        string digest = CommitScenario.Run(undisturbed.Root, count).Digest;
        count.Steps.ShouldBeGreaterThan(20); // three files of about ten steps
        Parallel.For(1, count.Steps + 2, new ParallelOptions { MaxDegreeOfParallelism = 4 }, step =>
        {
            using var folder = new TemporaryFolder();
            bool survived = CommitScenario.RunInChild(folder["artefact"], step);
            survived.ShouldBe(step > count.Steps, $"before step {step}"); // otherwise the child died for another reason
            RequireWholeOrAbsent(folder["artefact"], digest);

            CommitScenario.Run(folder["artefact"], null).Digest.ShouldBe(digest);
            Leftovers(folder["artefact"]).ShouldBeEmpty($"after a kill before step {step}");
        });
    }

    [Fact]
    public void Failing_at_any_step_an_artefact_is_whole_or_absent_and_leaves_no_temporary_file()
    {
        using var undisturbed = new TemporaryFolder();
        string digest = CommitScenario.Run(undisturbed.Root, null).Digest;
        bool survived = false;
        int step = 0;
        while (!survived)
        {
            using var folder = new TemporaryFolder();
            survived = TryRun(folder["artefact"], ++step);
            RequireWholeOrAbsent(folder["artefact"], digest);
            Leftovers(folder["artefact"]).ShouldBeEmpty($"after an error at step {step}");

            CommitScenario.Run(folder["artefact"], null).Digest.ShouldBe(digest);
        }

        step.ShouldBeGreaterThan(20);
    }

    private static bool TryRun(string folder, int step)
    {
        try
        {
            CommitScenario.Run(folder, new FailAt(step));
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static void RequireWholeOrAbsent(string folder, string digest)
    {
        var artifact = Artifact.TryOpen(folder);
        if (artifact is null) return;
        artifact.Digest.ShouldBe(digest);
        artifact.Verify().ShouldBeEmpty();
    }

    private static IEnumerable<string> Leftovers(string folder) =>
        Directory.Exists(folder) ? Directory.EnumerateFiles(folder, ".*.tmp", SearchOption.AllDirectories) : [];

    private sealed class CountSteps : ICommitHook
    {
        public int Steps { get; private set; }

        public void Before(CommitStep current, string path) => Steps++;
    }

    private sealed class FailAt(int step) : ICommitHook
    {
        private int seen;

        public void Before(CommitStep current, string path)
        {
            if (++seen == step) throw new IOException($"No space left on device (injected before {current}).");
        }
    }
}
