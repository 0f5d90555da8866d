namespace Distill.Storage;

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
    /// <exception cref="IOException">
    /// The disk or the file system refused a step. At the name is nothing or the whole file; committing again is safe.
    /// </exception>
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
        var temporary = TemporaryFile.Create(path);
        try
        {
            hook?.Before(CommitStep.Write, path);
            Fill(temporary, write, path);
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
            temporary.Dispose();
            return file;
        }
        catch
        {
            TryDelete(temporary.Name);
            Abandon(temporary);
            throw;
        }
    }

    // .NET calls a file that the file system or the system's limit forbids to grow an argument out of range.
    private static void Fill(FileStream temporary, Action<Stream> write, string path)
    {
        try
        {
            write(temporary);
        }
        catch (ArgumentOutOfRangeException fault) when (fault.TargetSite?.DeclaringType == typeof(RandomAccess))
        {
            throw new IOException($"'{path}' has grown as large as the file system or a limit of the system (ulimit -f) allows.", fault);
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

    // Closing writes once more what a full disk refused before; only the first fault says what happened.
    private static void Abandon(FileStream temporary)
    {
        try
        {
            temporary.Dispose();
        }
        catch (Exception fault) when (fault is IOException or ArgumentOutOfRangeException)
        {
            // The file is gone already, and its handle is closed all the same.
        }
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

/// <summary>The final name already holds other content: two writers disagree about what the file is. Nothing was changed.</summary>
public sealed class CommitConflictException : IOException
{
    public CommitConflictException()
    {
    }

    public CommitConflictException(string message)
        : base(message)
    {
    }

    public CommitConflictException(string message, Exception inner)
        : base(message, inner)
    {
    }
}

/// <summary>The steps of one commit, in order; what a kill or an I/O error can interrupt.</summary>
internal enum CommitStep
{
    CreateFolder,
    CreateTemporary,
    Write,
    Flush,
    Reopen,
    Digest,
    Link,
    CompareExisting,
    RemoveTemporary,
    SyncFolder,
    LogPart,
    FlushLog,
    Done,
}

/// <summary>Sees every step of a commit just before it happens; tests throw or end the process here.</summary>
internal interface ICommitHook
{
    void Before(CommitStep step, string path);
}

/// <summary>
/// An unfinished file beside its final name. Its writer holds a shared lock until the commit ends; a kill releases the lock,
/// which is how a leftover is told from a file someone is writing.
/// </summary>
internal static class TemporaryFile
{
    private const string Suffix = ".tmp";
    private static long counter;

    /// <summary>Opens a new temporary file for <paramref name="path"/>; the caller closes and deletes it.</summary>
    public static FileStream Create(string path)
    {
        string folder = Path.GetDirectoryName(path)!, name = Path.GetFileName(path);
        while (true)
        {
            string candidate = Path.Combine(folder, $".{name}.{Environment.ProcessId}-{Interlocked.Increment(ref counter)}{Suffix}");
            if (File.Exists(candidate)) continue; // another machine's, or left by a process that had our id
            return new FileStream(candidate, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete);
        }
    }

    /// <summary>Deletes the unfinished files that killed processes left in a folder (not below it).</summary>
    /// <returns>How many were deleted.</returns>
    public static int RemoveLeftovers(string folder)
    {
        if (!Directory.Exists(folder)) return 0;
        int removed = 0;
        foreach (string file in Directory.EnumerateFiles(folder, ".*" + Suffix))
        {
            try
            {
                using (new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None)) File.Delete(file);
                removed++;
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                // Its writer is alive, or another process removed it first.
            }
        }

        return removed;
    }
}
