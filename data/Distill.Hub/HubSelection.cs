using System.Text;
using System.Text.RegularExpressions;

namespace Distill.Hub;

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
        return path => (wanted.Length == 0 || wanted.Any(pattern => pattern.IsMatch(path)))
            && !unwanted.Any(pattern => pattern.IsMatch(path));
    }

    private static Regex Translate(string pattern)
    {
        if (pattern.EndsWith('/')) pattern += "*";
        var text = new StringBuilder("^");
        for (int i = 0; i < pattern.Length; i++)
        {
            // Right behind its beginning a bracket is one of the set.
            int within = i + (pattern.AsSpan(i + 1) is ['!', ..] ? 3 : 2);
            int end = pattern[i] == '[' && within < pattern.Length ? pattern.IndexOf(']', within) : -1;
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

        return new Regex(text.Append(@"\z").ToString(), RegexOptions.Singleline | RegexOptions.NonBacktracking);
    }
}
