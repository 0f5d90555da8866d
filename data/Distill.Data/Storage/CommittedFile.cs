namespace Distill.Data.Storage;

/// <summary>
/// The commit of one file: afterwards it is whole and on disk under its final name, or that name does not exist. Temporary file
/// in the same folder → write → flush to disk → re-open, count, SHA-256 → exclusive link to the final name → folder flush.
/// Committing equal content twice succeeds, so a retried stage needs no special case; unequal content is a fault.
/// Safe for concurrent use by threads and processes, also on one name.
/// </summary>
public static class CommittedFile
{
    /// <param name="path">Final name; missing folders are created.</param>
    /// <param name="write">Fills the (seekable) stream and leaves it open; what it throws ends the commit with the name untouched.</param>
    /// <param name="countRows">Reads the closed file again and gives its rows, throwing when they are not what they should be.</param>
    /// <returns>The file with its name relative to its own folder.</returns>
    /// <exception cref="CommitConflictException">The name holds other content.</exception>
    /// <exception cref="IOException">The disk or the file system refused a step. At the name is nothing or the whole file; committing again is safe.</exception>
    public static ArtifactFile Write(string path, Action<Stream> write, Func<Stream, long>? countRows = null) =>
        Write(path, write, countRows, null);

    /// <inheritdoc cref="Write(string, Action{Stream}, Func{Stream, long})"/>
    public static ArtifactFile WriteBytes(string path, ReadOnlyMemory<byte> bytes) => Write(path, stream => stream.Write(bytes.Span));

    /// <summary>Deletes what killed writers left in a folder; files being written now stay.</summary>
    /// <returns>How many were deleted.</returns>
    public static int RemoveLeftovers(string folder) => TemporaryFile.RemoveLeftovers(folder);

    internal static ArtifactFile Write(string path, Action<Stream> write, Func<Stream, long>? countRows, ICommitHook? hook)
    {
        path = Path.GetFullPath(path);
        string folder = Path.GetDirectoryName(path) ?? throw new ArgumentException($"'{path}' names no file.", nameof(path));
        hook?.Before(CommitStep.CreateFolder, folder);
        CreateFolder(folder);
        hook?.Before(CommitStep.CreateTemporary, path);
        using var temporary = TemporaryFile.Create(path);
        try
        {
            hook?.Before(CommitStep.Write, path);
            write(temporary);
            hook?.Before(CommitStep.Flush, path);
            temporary.Flush(flushToDisk: true);
            var file = Inspect(temporary.Name, path, countRows, hook);
            hook?.Before(CommitStep.Link, path);
            if (!NativeFile.LinkExclusively(temporary.Name, path)) RequireEqual(path, file, hook);
            hook?.Before(CommitStep.RemoveTemporary, path);
            File.Delete(temporary.Name);
            hook?.Before(CommitStep.SyncFolder, path);
            NativeFile.SyncFolder(folder);
            hook?.Before(CommitStep.Done, path);
            return file;
        }
        catch
        {
            TryDelete(temporary.Name);
            throw;
        }
    }

    // What counts is what a reader will find, so both are taken from the file as re-opened by name.
    private static ArtifactFile Inspect(string temporary, string path, Func<Stream, long>? countRows, ICommitHook? hook)
    {
        hook?.Before(CommitStep.Reopen, path);
        using var stream = new FileStream(temporary, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        long? rows = countRows?.Invoke(stream);
        hook?.Before(CommitStep.Digest, path);
        stream.Position = 0;
        return new ArtifactFile(Path.GetFileName(path), stream.Length, FileDigest.Of(stream), rows);
    }

    private static void RequireEqual(string path, ArtifactFile file, ICommitHook? hook)
    {
        hook?.Before(CommitStep.CompareExisting, path);
        string existing = FileDigest.OfFile(path);
        if (existing == file.Sha256) return;
        throw new CommitConflictException(
            $"'{path}' exists with other content (sha256 {existing}, the new content has {file.Sha256}). Remove it to write it anew.");
    }

    // Each new level is flushed into its parent, or a power failure could lose the folder with a committed file in it.
    private static void CreateFolder(string folder)
    {
        if (Directory.Exists(folder)) return;
        string? parent = Path.GetDirectoryName(folder);
        if (parent is not null) CreateFolder(parent);
        Directory.CreateDirectory(folder);
        if (parent is not null) NativeFile.SyncFolder(parent);
    }

    private static void TryDelete(string temporary)
    {
        try
        {
            File.Delete(temporary);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // The fault that led here matters more; RemoveLeftovers takes the file later.
        }
    }
}
