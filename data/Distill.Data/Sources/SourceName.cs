namespace Distill.Data.Sources;

/// <summary>What a source is called that nobody gave a name: by what it is, not by where it lies.</summary>
internal static class SourceName
{
    private const int Longest = 80;

    // Names that say what part of a data set a file is, not which.
    private static readonly string[] Parts =
        ["train", "training", "test", "validation", "valid", "val", "dev", "eval", "data", "problems", "default", "main", "full"];

    /// <summary>
    /// A file's name without its endings; where that says only which part it is, its folder's, if that says more. No folder above that one:
    /// what a project's folder is called differs from machine to machine.
    /// </summary>
    public static string OfFile(string path)
    {
        string full = Path.GetFullPath(path), name = Plain(Path.GetFileName(full).Split('.')[0]);
        string folder = Plain(Path.GetFileName(Path.GetDirectoryName(full)) ?? "");
        if (!SaysLittle(name)) return name;
        return !SaysLittle(folder) ? folder : name.Length > 0 ? name : folder.Length > 0 ? folder : "problems";
    }

    private static bool SaysLittle(string name) =>
        name.TrimEnd('-', '_', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9') is var stem
        && (stem.Length == 0 || Parts.Contains(stem.ToLowerInvariant()));

    /// <summary>The last word of a repository's or a folder's name.</summary>
    public static string OfRepository(string name) =>
        Plain(Path.GetFileName(name.TrimEnd('/', '\\'))) is { Length: > 0 } plain ? plain : "problems";

    private static string Plain(string name)
    {
        string plain = new([.. name.Select(c => char.IsLetterOrDigit(c) || c is '-' or '_' or '.' ? c : '-')]);
        plain = plain.Replace("*", "", StringComparison.Ordinal).Trim('-', '.', '_');
        return plain.Length <= Longest ? plain : plain[..Longest];
    }
}
