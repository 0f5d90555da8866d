using System.Diagnostics;
using System.Globalization;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Store;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Runs;

/// <summary>A disk that fills up under a run, wherever it is, and is given a little more room each time.</summary>
public sealed class FullDiskTests : IDisposable
{
    private const int FirstKibibytes = 150, MoreKibibytes = 450, MostTries = 60;

    private readonly TemporaryFolder folder = new(), calm = new();
    private bool isMounted;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        if (isMounted) Shell("umount", folder.Path);
        folder.Dispose();
        calm.Dispose();
    }

    [Fact]
    public void A_run_whose_disk_fills_says_so_keeps_what_was_finished_and_goes_on_when_there_is_room()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Mount(FirstKibibytes), "A file system of a chosen size cannot be mounted here");
        SmallRun.Run(calm);
        var finished = new HashSet<string>();
        int full = 0;
        for (int tries = 0; !Attempt(full); tries++)
        {
            tries.ShouldBeLessThan(MostTries);
            full++;
            var state = RunState.TryRead(folder["small"]);
            if (state is not null) // else not even that much room was there when it began
            {
                state.Progress.ShouldBe(RunProgress.Failed);
                state.Reason.ShouldNotBeNull().ShouldContain("No space left on device");
            }

            var whole = WholeArtefacts();
            finished.ShouldBeSubsetOf(whole); // nothing that was finished is lost
            finished.UnionWith(whole);
            Mount(FirstKibibytes + (full * MoreKibibytes));
        }

        full.ShouldBeGreaterThan(5);
        SmallRun.LockOf(folder).ShouldBe(SmallRun.LockOf(calm));
        File.Exists(folder["small/report.html"]).ShouldBeTrue();
        File.Exists(folder["small/.reserve"]).ShouldBeFalse();
    }

    [Fact]
    public void A_disk_that_can_only_be_read_is_said_to_be_one()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Mount(4096, "ro"), "A file system of a chosen size cannot be mounted here");
        var fault = Should.Throw<Exception>(() => SmallRun.Run(folder, new RunOptions { FreeDisk = _ => long.MaxValue }));
        (fault is IOException or UnauthorizedAccessException).ShouldBeTrue(fault.ToString());
        fault.Message.ShouldContain("Read-only file system");
        fault.Message.ShouldContain(folder.Path);
    }

    private bool Attempt(int full)
    {
        try
        {
            SmallRun.Run(folder, new RunOptions { FreeDisk = _ => long.MaxValue }); // what is known to be too little is refused before
            return true;
        }
        catch (IOException fault)
        {
            fault.ToString().ShouldContain("No space left on device", customMessage: $"attempt {full}");
            return false;
        }
    }

    private IReadOnlyCollection<string> WholeArtefacts()
    {
        var catalogue = ArtifactCatalogue.Read(folder.Path, TimeProvider.System);
        return [.. new StoreVerification(catalogue).Run(catalogue.Items, _ => { }, Cancellation)
            .Where(item => item.Faults.Count == 0).Select(item => item.Artifact.Digest!)];
    }

    private bool Mount(int kibibytes, string more = "rw")
    {
        string options = string.Create(CultureInfo.InvariantCulture, $"size={kibibytes}k,{more}{(isMounted ? ",remount" : "")}");
        bool done = Shell("mount", "-t", "tmpfs", "-o", options, "none", folder.Path) == 0;
        return isMounted |= done;
    }

    private static int Shell(string program, params string[] words)
    {
        var start = new ProcessStartInfo(program, words) { RedirectStandardError = true, RedirectStandardOutput = true };
        try
        {
            using var process = Process.Start(start)!;
            process.WaitForExit();
            return process.ExitCode;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return -1; // there is no such program
        }
    }
}
