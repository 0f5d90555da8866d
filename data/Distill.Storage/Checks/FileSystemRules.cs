namespace Distill.Storage.Checks;

/// <summary>How grave what was found about a file system is.</summary>
internal enum StoreFindingState
{
    Ok,

    /// <summary>Works, and should be known.</summary>
    Note,

    /// <summary>A store there could lose or mix up work.</summary>
    Unsafe,
}

/// <param name="Name">What was looked at, in a word or two.</param>
/// <param name="Found">In a sentence.</param>
/// <param name="Remedy">Null where there is nothing to do.</param>
internal sealed record StoreFinding(string Name, StoreFindingState State, string Found, string? Remedy = null);

/// <summary>
/// What a file system's name and the options of its mount say, which no trial on one machine can find: whether locks hold between machines,
/// and whether a machine sees what another one wrote.
/// </summary>
internal static class FileSystemRules
{
    public const string Name = "mount";

    private const string Elsewhere = "Choose another place with --runs: a local disk, NFS 4, CephFS, Lustre with flock, GPFS; or share by "
        + "an object store (docs/store.md).";

    // Programs that show remote files as a folder and keep locks to the one machine.
    private static readonly Dictionary<string, string> Unsafe = new()
    {
        ["fuse.sshfs"] = "sshfs keeps locks to one machine",
        ["fuse.s3fs"] = "s3fs has no hard links and no locks between machines",
        ["fuse.gcsfuse"] = "gcsfuse has no hard links and no locks",
        ["fuse.goofys"] = "goofys has no hard links and no locks",
        ["fuse.mountpoint-s3"] = "Mountpoint for S3 has no hard links, no renaming over a file and no locks",
        ["fuse.rclone"] = "rclone mounts have no hard links and keep locks to one machine",
        ["fuse.blobfuse2"] = "blobfuse has no hard links and keeps locks to one machine",
        ["fuse.davfs"] = "davfs has no hard links and keeps locks to one machine",
        ["fuse.ossfs"] = "ossfs has no hard links and no locks between machines",
        ["fuse.curlftpfs"] = "curlftpfs has no hard links and no locks between machines",
    };

    private const int LongCacheSeconds = 60;

    /// <summary>Never empty; the gravest first.</summary>
    public static IReadOnlyList<StoreFinding> Of(MountedFileSystem mounted)
    {
        var found = mounted.Type switch
        {
            "nfs" or "nfs4" => Nfs(mounted),
            "cifs" or "smb3" or "smbfs" => Smb(mounted),
            "lustre" => Lustre(mounted),
            _ when Unsafe.TryGetValue(mounted.Type, out string? why) =>
                [new StoreFinding(Name, StoreFindingState.Unsafe, $"{mounted.Description}: {why}.", Elsewhere)],
            _ when mounted.Nature == FileSystemNature.Memory =>
                [new StoreFinding(Name, StoreFindingState.Note, $"{mounted.Description}: it is gone when this machine starts anew.",
                    "Keep there only what may be lost.")],
            _ when mounted.Nature == FileSystemNature.Shared && !IsKnownCluster(mounted.Type) =>
                [new StoreFinding(Name, StoreFindingState.Note,
                    $"{mounted.Description}: whether its locks hold between machines cannot be seen from one of them.",
                    "Let one machine alone use this store, unless you know that they do.")],
            _ => (IEnumerable<StoreFinding>)[],
        };
        StoreFinding[] all = [.. found.OrderByDescending(finding => finding.State)];
        return all.Length > 0 ? all : [new StoreFinding(Name, StoreFindingState.Ok, mounted.Description)];
    }

    private static bool IsKnownCluster(string type) => type is "ceph" or "fuse.ceph" or "fuse.ceph-fuse" or "gfs2" or "ocfs2" or "gpfs"
        or "fuse.juicefs" or "fuse.glusterfs";

    private static IEnumerable<StoreFinding> Nfs(MountedFileSystem mounted)
    {
        string? local = mounted.Option("local_lock");
        if (mounted.Option("nolock") is not null || local is "all" or "flock")
        {
            string option = local is null or "none" ? "nolock" : $"local_lock={local}";
            yield return new StoreFinding(Name, StoreFindingState.Unsafe,
                $"{mounted.Description}: it is mounted with {option}, so locks hold on one machine alone, and two machines could write to "
                + "one place.",
                "Mount it without nolock and local_lock (NFS 4, or NFS 3 with its lock service), or choose another place with --runs.");
        }

        if (mounted.Option("soft") is not null || mounted.Option("softerr") is not null)
        {
            yield return new StoreFinding(Name, StoreFindingState.Note,
                $"{mounted.Description}: a soft mount ends a run with an error when the server is away for a while; nothing that was "
                + "committed is lost.",
                "Mount it hard, so that runs wait instead.");
        }

        string? longest = ((string[])["actimeo", "acregmax", "acdirmax"]).Select(mounted.Option)
            .FirstOrDefault(text => int.TryParse(text, out int seconds) && seconds > LongCacheSeconds);
        if (longest is not null)
        {
            yield return new StoreFinding(Name, StoreFindingState.Note,
                $"{mounted.Description}: a machine may see what another one wrote only after {longest} s.",
                $"Mount it with actimeo={LongCacheSeconds} or less, or shards that end meanwhile do not find each other's units.");
        }
    }

    private static IEnumerable<StoreFinding> Smb(MountedFileSystem mounted)
    {
        if (mounted.Option("nobrl") is not null)
        {
            yield return new StoreFinding(Name, StoreFindingState.Unsafe,
                $"{mounted.Description}: it is mounted with nobrl, so locks hold on one machine alone.",
                "Mount it without nobrl, or choose another place with --runs.");
        }

        if (mounted.Option("cache") is "loose" or "singleclient")
        {
            yield return new StoreFinding(Name, StoreFindingState.Unsafe,
                $"{mounted.Description}: it is mounted with cache={mounted.Option("cache")}, so a machine may read what is no longer true.",
                "Mount it with cache=strict, or choose another place with --runs.");
        }
    }

    private static IEnumerable<StoreFinding> Lustre(MountedFileSystem mounted)
    {
        if (mounted.Option("flock") is null)
        {
            yield return new StoreFinding(Name, StoreFindingState.Unsafe,
                $"{mounted.Description}: it is mounted without flock, so locks hold on one machine alone or not at all.",
                "Mount it with -o flock, or choose another place with --runs.");
        }
    }
}
