using Distill.Hub.Cache;

namespace Distill.Hub;

/// <summary>Files of a repository at one commit, on this machine.</summary>
/// <param name="Reference">What was asked for, at the commit that it was: record this one.</param>
/// <param name="LocalPath">
/// Full path of the folder (or, where the reference names one file, of the file). In the cache its files are links; they must not be
/// changed.
/// </param>
/// <param name="Files">Paths of the files that were asked for, relative to the repository, in order.</param>
/// <param name="Bytes">Of all these files.</param>
/// <param name="Received">Of these, how many bytes had to be received; 0 when the cache had everything.</param>
public sealed record HubSnapshot(HubReference Reference, string LocalPath, IReadOnlyList<string> Files, long Bytes, long Received)
{
    /// <summary>The commit, 40 hexadecimal digits.</summary>
    public string Commit => Reference.RevisionOrMain;

    /// <summary>Copies the files, not the links of the cache, to a folder, where they may be changed. What is equal stays.</summary>
    /// <param name="replaces">Whether files with other content may be replaced.</param>
    /// <inheritdoc cref="SnapshotCopy.CopyTo"/>
    public string CopyTo(string folder, bool replaces = false, CancellationToken cancellation = default) =>
        SnapshotCopy.CopyTo(this, folder, replaces, cancellation);
}

/// <summary>How far a transfer is. Reported a few times a second at most, from any thread, one at a time.</summary>
/// <param name="Bytes">Transferred so far, by this and earlier processes.</param>
/// <param name="TotalBytes">To transfer in all; what the cache, or the Hub, has already is not among them.</param>
/// <param name="Files">Whole ones so far.</param>
/// <param name="BytesPerSecond">Since the transfer began; 0 at first.</param>
/// <param name="Note">What is waited for, if anything; else empty.</param>
public readonly record struct HubProgress(long Bytes, long TotalBytes, int Files, int TotalFiles, double BytesPerSecond, string Note);
