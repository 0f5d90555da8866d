using System.Text;

namespace Distill.Storage.Checks;

/// <summary>
/// What a store asks of a file system, one call each, as the commit protocol does it. A seam for the check: tests put file systems
/// here that lie.
/// </summary>
internal interface IProbedFileSystem
{
    /// <summary>Makes a file that is not there and flushes it to disk.</summary>
    /// <returns>False when the name is taken.</returns>
    bool TryCreate(string path, string content);

    /// <summary>Gives a file a second name if nothing has that name.</summary>
    /// <returns>False when the name is taken.</returns>
    bool TryLink(string existing, string path);

    /// <summary>Replaces a file in one step, or makes it.</summary>
    void Replace(string path, string content);

    /// <summary>Makes the names in a folder survive a power failure.</summary>
    void SyncFolder(string folder);

    /// <returns>Null when somebody holds it; dispose to give it back.</returns>
    IDisposable? TryLock(string path, bool alone);

    /// <returns>Null when there is no such file.</returns>
    string? Read(string path);

    /// <summary>Whether the folder's listing has the name.</summary>
    bool Lists(string folder, string name);

    void LinkSymbolically(string path, string target);
}

/// <summary>The calls that the store itself makes.</summary>
internal sealed class ProbedFileSystem : IProbedFileSystem
{
    public bool TryCreate(string path, string content)
    {
        try
        {
            using var file = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete);
            file.Write(Encoding.UTF8.GetBytes(content));
            file.Flush(flushToDisk: true);
            return true;
        }
        catch (IOException) when (File.Exists(path))
        {
            return false;
        }
    }

    public bool TryLink(string existing, string path) => NativeFile.LinkExclusively(existing, path);

    public void Replace(string path, string content) => ReplacedFile.Write(path, Encoding.UTF8.GetBytes(content));

    public void SyncFolder(string folder) => NativeFile.SyncFolder(folder);

    public IDisposable? TryLock(string path, bool alone) =>
        alone ? FileLock.TryTake(path, $"a check of the store by process {Environment.ProcessId}") : FileLock.TryShare(path);

    public string? Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    public bool Lists(string folder, string name) => Directory.EnumerateFiles(folder).Any(path => Path.GetFileName(path) == name);

    public void LinkSymbolically(string path, string target) => Directory.CreateSymbolicLink(path, target);
}
