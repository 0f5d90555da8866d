namespace Distill.Pipeline.Recipes;

/// <summary>What a run may be called: one folder name on every file system, never a path.</summary>
public static class RunName
{
    public const string Rule = "use 1 to 64 of a-z 0-9 - _ . and begin with a letter or digit";

    public static bool IsValid(string name) =>
        name.Length is > 0 and <= 64
        && char.IsAsciiLetterOrDigit(name[0])
        && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_' or '.');
}
