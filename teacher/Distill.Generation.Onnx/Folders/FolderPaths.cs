namespace Distill.Generation.Onnx;

/// <summary>Paths that a file names must stay in the folder they are relative to, links included.</summary>
internal static class FolderPaths
{
    /// <param name="folder">Full path of the folder.</param>
    /// <param name="relative">What the file says.</param>
    /// <param name="saidBy">File and key, for the message.</param>
    /// <returns>Full path of an existing file.</returns>
    /// <exception cref="InvalidDataException">The path is absolute, leaves the folder, passes through a link or names no file.</exception>
    public static string Resolve(string folder, string relative, string saidBy)
    {
        if (relative.Length == 0 || Path.IsPathRooted(relative) || relative.Contains('\\') || relative.Contains('\0') || relative.Contains(':'))
            throw new InvalidDataException($"{saidBy}: '{relative}' must be a path relative to its folder.");
        string current = folder;
        foreach (string part in relative.Split('/'))
        {
            if (part is "" or "." or "..")
                throw new InvalidDataException($"{saidBy}: '{relative}' must not contain empty, '.' or '..' parts.");
            current = Path.Combine(current, part);
            FileSystemInfo info = Directory.Exists(current) ? new DirectoryInfo(current) : new FileInfo(current);
            if (info.LinkTarget is not null)
                throw new InvalidDataException($"{saidBy}: '{relative}' passes through a symbolic link; copy the file into the folder instead.");
        }

        if (!File.Exists(current)) throw new InvalidDataException($"{saidBy}: {current} does not exist.");
        return current;
    }
}
