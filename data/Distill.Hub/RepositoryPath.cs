using System.Text;
using System.Text.RegularExpressions;

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

    /// <summary>Each part escaped for an address.</summary>
    public static string Escape(string path) => string.Join('/', path.Split('/').Select(Uri.EscapeDataString));
}

/// <summary>
/// Which files of a repository are wanted, by patterns as huggingface_hub reads them (Python's fnmatch): <c>*</c> is any text, slashes
/// too, <c>?</c> one character, <c>[…]</c> a set; a pattern that ends with a slash is a folder. Upper and lower case differ.
/// </summary>
public sealed record HubSelection
{
    /// <summary>Every file.</summary>
    public static HubSelection All { get; } = new();

    /// <summary>A file has to fit one of these; none means that every file fits.</summary>
    public IReadOnlyList<string> Include { get; init; } = [];

    /// <summary>A file must fit none of these.</summary>
    public IReadOnlyList<string> Exclude { get; init; } = [];

    /// <returns>Says of a path with slashes whether it is wanted.</returns>
    internal Func<string, bool> ToFilter()
    {
        Regex[] wanted = [.. Include.Select(Translate)], unwanted = [.. Exclude.Select(Translate)];
        return path => (wanted.Length == 0 || wanted.Any(pattern => pattern.IsMatch(path))) && !unwanted.Any(pattern => pattern.IsMatch(path));
    }

    private static Regex Translate(string pattern)
    {
        if (pattern.EndsWith('/')) pattern += "*";
        var text = new StringBuilder("^");
        for (int i = 0; i < pattern.Length; i++)
        {
            int end = pattern[i] == '[' ? pattern.IndexOf(']', Math.Min(pattern.Length, i + (pattern.AsSpan(i + 1) is ['!', ..] ? 3 : 2))) : -1;
            if (end < 0)
            {
                text.Append(pattern[i] switch { '*' => ".*", '?' => ".", var other => Regex.Escape(other.ToString()) });
                continue;
            }

            string set = pattern[(i + 1)..end];
            bool isInverse = set[0] == '!';
            text.Append(isInverse ? "[^" : "[").Append(Regex.Replace(isInverse ? set[1..] : set, @"[\\\[\]^]", @"\$0")).Append(']');
            i = end;
        }

        return new Regex(text.Append('$').Replace("$", @"\z", text.Length - 1, 1).ToString(), RegexOptions.Singleline | RegexOptions.NonBacktracking);
    }
}
