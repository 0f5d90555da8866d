using System.Text;
using System.Text.RegularExpressions;
using Distill.Storage;

namespace Distill.Data.Sources.Files;

/// <summary>A file of a source.</summary>
/// <param name="Path">Where it lies.</param>
/// <param name="Name">What messages and reports call it: the same on every machine.</param>
internal sealed record SourceFile(string Path, string Name)
{
    public const int MostFiles = 10_000;

    private static readonly EnumerationOptions Everywhere = new()
    {
        RecurseSubdirectories = true,
        MaxRecursionDepth = 32, // a link that leads into itself would never end
        IgnoreInaccessible = false,
        AttributesToSkip = FileAttributes.Hidden | FileAttributes.System,
    };

    /// <summary>The files that a path or a pattern (<c>*</c>, <c>?</c>, <c>**</c>) names, by name.</summary>
    /// <exception cref="InvalidDataException">There is none, or there are too many; the message says what to give instead.</exception>
    public static IReadOnlyList<SourceFile> Find(string pattern)
    {
        string full = System.IO.Path.GetFullPath(pattern);
        if (File.Exists(full)) return [new SourceFile(full, System.IO.Path.GetFileName(full))];
        if (Directory.Exists(full))
        {
            throw new InvalidDataException(
                $"{Printable.Quote(pattern)} is a folder; give a file or a pattern such as {Printable.Of(pattern.TrimEnd('/'))}/*.jsonl, "
                + "or name it as a folder.");
        }

        if (!IsPattern(pattern)) throw new InvalidDataException($"There is no file {Printable.Quote(pattern)}.");
        string root = RootOf(full);
        if (!Directory.Exists(root)) throw new InvalidDataException($"There is no folder {Printable.Quote(root)}.");
        var files = Matching(root, full[root.Length..].TrimStart('/', '\\'));
        return files.Count > 0 ? files : throw new InvalidDataException($"No file matches {Printable.Quote(pattern)}.");
    }

    public static bool IsPattern(string path) => path.AsSpan().IndexOfAny('*', '?') >= 0;

    /// <param name="pattern">Relative to <paramref name="root"/>, with forward slashes.</param>
    /// <exception cref="InvalidDataException">There are too many.</exception>
    public static IReadOnlyList<SourceFile> Matching(string root, string pattern)
    {
        var name = Expression(pattern.Replace('\\', '/'));
        var found = new List<SourceFile>();
        foreach (string path in Directory.EnumerateFiles(root, "*", Everywhere))
        {
            string relative = System.IO.Path.GetRelativePath(root, path).Replace('\\', '/');
            if (!name.IsMatch(relative)) continue;
            found.Add(new SourceFile(path, relative));
            if (found.Count > MostFiles)
                throw new InvalidDataException(
                    $"More than {MostFiles:N0} files match {Printable.Quote(pattern)} in {Printable.Quote(root)}; join some of them.");
        }

        found.Sort((one, other) => string.CompareOrdinal(one.Name, other.Name));
        return found;
    }

    // The folders before the first wildcard.
    private static string RootOf(string full)
    {
        int wildcard = full.AsSpan().IndexOfAny('*', '?');
        int slash = full.LastIndexOfAny(['/', '\\'], wildcard);
        return slash <= 0 ? full[..(slash + 1)] : full[..slash];
    }

    private static Regex Expression(string pattern)
    {
        var text = new StringBuilder("^");
        for (int i = 0; i < pattern.Length; i++)
        {
            if (pattern.AsSpan(i).StartsWith("**/"))
            {
                text.Append("(?:[^/]+/)*");
                i += 2;
            }
            else if (pattern.AsSpan(i).StartsWith("**"))
            {
                text.Append(".*");
                i++;
            }
            else
            {
                text.Append(pattern[i] switch { '*' => "[^/]*", '?' => "[^/]", var c => Regex.Escape(c.ToString()) });
            }
        }

        return new Regex(text.Append('$').ToString(), RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
    }
}
