using Distill.Storage.Checks;

namespace Distill.Data.Tests.Storage.Checks;

/// <summary>What a mount says of itself, and that it is looked at once.</summary>
public sealed class StoreCheckTests : IDisposable
{
    private const string Mounts = """
        22 1 0:21 / /proc rw - proc proc rw
        27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
        30 27 0:40 / /mnt/shared rw,relatime - nfs4 server:/export rw,vers=4.2,hard,local_lock=none
        31 27 0:41 / /mnt/my\040disk rw,noatime master:3 - cifs //nas/share rw,cache=strict
        32 30 0:42 / /mnt/shared/deep rw - tmpfs none rw,size=4k
        33 27 0:43 / /mnt/shared rw - nfs4 other:/export rw,nolock
        """;

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("/home/me/runs", "ext4", "/dev/vda")]
    [InlineData("/mnt/shared", "nfs4", "other:/export")] // mounted over the first
    [InlineData("/mnt/sharedness/runs", "ext4", "/dev/vda")]
    [InlineData("/mnt/shared/deep/runs", "tmpfs", "none")]
    [InlineData("/mnt/my disk/runs", "cifs", "//nas/share")]
    public void The_mount_that_is_seen_at_a_path_is_found(string path, string type, string source)
    {
        var mounted = MountedFileSystem.Parse(Mounts.Split('\n'), path).ShouldNotBeNull();
        (mounted.Type, mounted.Source).ShouldBe((type, source));
    }

    [Theory]
    [InlineData("nfs4", "rw,hard,local_lock=none", StoreFindingState.Ok)]
    [InlineData("nfs4", "rw,soft", StoreFindingState.Note)]
    [InlineData("nfs", "rw,actimeo=600", StoreFindingState.Note)]
    [InlineData("nfs", "rw,nolock", StoreFindingState.Unsafe)]
    [InlineData("nfs", "rw,nolock,soft", StoreFindingState.Unsafe)]
    [InlineData("nfs", "rw,local_lock=flock", StoreFindingState.Unsafe)]
    [InlineData("nfs", "rw,local_lock=posix", StoreFindingState.Ok)] // the store's are flock's
    [InlineData("cifs", "rw,cache=strict", StoreFindingState.Ok)]
    [InlineData("cifs", "rw,nobrl", StoreFindingState.Unsafe)]
    [InlineData("smb3", "rw,cache=loose", StoreFindingState.Unsafe)]
    [InlineData("lustre", "rw,flock", StoreFindingState.Ok)]
    [InlineData("lustre", "rw,localflock", StoreFindingState.Unsafe)]
    [InlineData("fuse.sshfs", "rw", StoreFindingState.Unsafe)]
    [InlineData("fuse.gcsfuse", "rw", StoreFindingState.Unsafe)]
    [InlineData("fuse.something", "rw", StoreFindingState.Note)]
    [InlineData("ceph", "rw", StoreFindingState.Ok)]
    [InlineData("tmpfs", "rw", StoreFindingState.Note)]
    [InlineData("overlay", "rw", StoreFindingState.Ok)]
    internal void A_mount_says_whether_machines_can_share_it(string type, string options, StoreFindingState expected)
    {
        var findings = FileSystemRules.Of(new MountedFileSystem(type, "source", "/mnt/x", options.Split(',')));
        findings[0].State.ShouldBe(expected);
        findings.ShouldAllBe(finding => finding.Found.Contains($"{type} (source) at /mnt/x"));
        findings.Where(finding => finding.State != StoreFindingState.Ok).ShouldAllBe(finding => finding.Remedy != null);
    }

    [Fact]
    public void A_refusal_names_file_system_fault_and_remedy()
    {
        var mounted = new MountedFileSystem("nfs", "server:/x", "/mnt/x", ["rw", "nolock"]);
        string refusal = new StoreReport(mounted, FileSystemRules.Of(mounted), false).Refusal.ShouldNotBeNull();
        refusal.ShouldContain("nfs (server:/x) at /mnt/x");
        refusal.ShouldContain("mounted with nolock");
        refusal.ShouldContain("Mount it without nolock");
    }

    [Fact]
    public void What_was_found_is_remembered_until_somebody_looks_anew()
    {
        var check = new StoreCheck(folder["store"], program: null);
        var first = check.Once();
        Assert.SkipUnless(first.FileSystem.Nature != FileSystemNature.Shared, "The temporary folder lies on a shared file system");
        first.Refusal.ShouldBeNull();
        first.Remembered.ShouldBeFalse();
        check.Once().Remembered.ShouldBeTrue();
        check.Anew().Remembered.ShouldBeFalse();
        string kept = Directory.GetFileSystemEntries(folder["store/.checks"]).ShouldHaveSingleItem(); // and nothing else is left
        File.WriteAllText(kept, "damaged");
        check.Once().Remembered.ShouldBeFalse();
        check.Once().Remembered.ShouldBeTrue();
    }
}
