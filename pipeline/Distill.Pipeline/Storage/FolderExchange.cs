namespace Distill.Pipeline.Storage;

/// <summary>Makes a folder beside its place and moves it there whole, so that nobody opens half a model.</summary>
public static class FolderExchange
{
    /// <param name="target">Absent, empty, or replaced.</param>
    /// <param name="fill">Gets a fresh folder on the same file system.</param>
    public static void Write(string target, Action<string> fill)
    {
        target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(target));
        string fresh = target + ".new", old = target + ".old";
        Remove(fresh);
        Remove(old);
        try
        {
            Directory.CreateDirectory(fresh);
            fill(fresh);
            if (Directory.Exists(target)) Directory.Move(target, old);
            Directory.Move(fresh, target);
        }
        finally
        {
            Remove(fresh);
        }

        Remove(old);
    }

    private static void Remove(string folder)
    {
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
    }
}
