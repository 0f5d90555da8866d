using System.Text;

namespace Distill.Hub;

/// <summary>
/// Paths in a repository. A server may say anything: what would leave the folder it is put in, or mean something else on another system,
/// is refused on every system.
/// </summary>
internal static class RepositoryPath
{
    private const int Longest = 1024, LongestPart = 255;

    /// <returns>What is wrong with it, to be put after the path; null when it may be used.</returns>
    public static string? Fault(string path)
    {
        if (path.Length is 0 or > Longest) return "is empty or too long";
        if (path.Any(char.IsControl)) return "holds a control character";
        if (path.Contains('\\', StringComparison.Ordinal)) return "holds a backslash";
        foreach (string part in path.Split('/'))
        {
            if (part is "" or "." or "..") return "leaves its folder: it is absolute, or has an empty part, '.' or '..'";
            if (part is [_, ':', ..]) return "names a drive";
            if (part.Equals(".git", StringComparison.OrdinalIgnoreCase)) return "lies in a '.git' folder";
            if (Encoding.UTF8.GetByteCount(part) > LongestPart) return $"has a part of more than {LongestPart} bytes";
        }

        return null;
    }

    /// <summary>Whether a path is the one given or lies below it; everything lies below the empty one.</summary>
    public static bool IsWithin(string path, string folder) =>
        folder.Length == 0 || path == folder || (path.Length > folder.Length && path[folder.Length] == '/'
            && path.StartsWith(folder, StringComparison.Ordinal));

    /// <summary>The path as seen from a folder that it lies in; of the folder's own path, which is a file then, its name.</summary>
    public static string From(string path, string folder) =>
        folder.Length == 0 ? path : path == folder ? path[(path.LastIndexOf('/') + 1)..] : path[(folder.Length + 1)..];

    /// <summary>Each part escaped for an address.</summary>
    public static string Escape(string path) => string.Join('/', path.Split('/').Select(Uri.EscapeDataString));
}
