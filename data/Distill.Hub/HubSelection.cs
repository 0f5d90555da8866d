namespace Distill.Hub;

/// <summary>
/// Which files of a repository are wanted, by patterns as huggingface_hub reads them (Python's fnmatch): <c>*</c> is any text, slashes
/// too, <c>?</c> one character, <c>[…]</c> a set; a pattern that ends with a slash is a folder. Upper and lower case differ. Patterns
/// speak of paths below the folder that a reference names, or of the whole repository's.
/// </summary>
public sealed record HubSelection
{
    /// <summary>Every file.</summary>
    public static HubSelection All { get; } = new();

    /// <summary>A file has to fit one of these; none means that every file fits.</summary>
    public IReadOnlyList<string> Include { get; init; } = [];

    /// <summary>A file must fit none of these.</summary>
    public IReadOnlyList<string> Exclude { get; init; } = [];

    /// <summary>Whether a file is wanted. Takes time in proportion to pattern and path, whatever the pattern.</summary>
    /// <param name="path">With slashes.</param>
    internal bool Wants(string path) =>
        (Include.Count == 0 || Include.Any(pattern => Fits(pattern, path))) && !Exclude.Any(pattern => Fits(pattern, path));

    // Only the last star is ever gone back to: what an earlier one took could not help a later part to fit.
    private static bool Fits(string pattern, string path)
    {
        if (pattern.EndsWith('/')) pattern += "*";
        int at = 0, position = 0, star = -1, taken = 0;
        while (position < path.Length)
        {
            if (at < pattern.Length && pattern[at] == '*') (star, taken, at) = (at, position, at + 1);
            else if (at < pattern.Length && FitsOne(pattern, at, path[position]) is var (isFit, next) && isFit)
                (at, position) = (next, position + 1);
            else if (star >= 0) (at, position) = (star + 1, ++taken);
            else return false;
        }

        return pattern.AsSpan(at).TrimStart('*').IsEmpty;
    }

    /// <returns>Whether the character fits what stands in the pattern, and where the pattern goes on.</returns>
    private static (bool IsFit, int Next) FitsOne(string pattern, int at, char character)
    {
        // Right behind its beginning a bracket is one of the set.
        int first = at + (pattern.AsSpan(at + 1) is ['!', ..] ? 2 : 1);
        int end = pattern[at] == '[' && first + 1 < pattern.Length ? pattern.IndexOf(']', first + 1) : -1;
        if (end < 0) return (pattern[at] == '?' || pattern[at] == character, at + 1);
        bool isInverse = first == at + 2, isIn = false;
        for (int i = first; i < end; i++)
        {
            bool isRange = i + 2 < end && pattern[i + 1] == '-';
            isIn |= isRange ? character >= pattern[i] && character <= pattern[i + 2] : character == pattern[i];
            if (isRange) i += 2;
        }

        return (isIn != isInverse, end + 1);
    }
}
