namespace Distill.Testing;

/// <summary>
/// Golden values of reference implementations: DISTILL_FIXTURES, or ../shared/fixtures beside the repository. They are no part
/// of the repository, so a test that needs them skips where they are absent.
/// </summary>
internal static class FixtureFolder
{
    // A theory without rows fails; this row finds no folder, so the theory skips.
    private const string NoCase = "(none)";

    private static readonly string s_root = Environment.GetEnvironmentVariable("DISTILL_FIXTURES") is { Length: > 0 } given
        ? Path.GetFullPath(given)
        : Path.GetFullPath(Path.Combine(RepositoryFolder.Root, "..", "shared", "fixtures"));

    /// <summary>A folder of golden values; skips the test when it is absent.</summary>
    public static string Require(params string[] parts)
    {
        string path = Path.Combine([s_root, .. parts]);
        Assert.SkipUnless(Directory.Exists(path), $"No golden values at '{path}'; set DISTILL_FIXTURES to their folder.");
        return path;
    }

    /// <summary>A file of golden values; skips the test when it is absent.</summary>
    public static string RequireFile(params string[] parts)
    {
        string path = Path.Combine(Require(parts[..^1]), parts[^1]);
        Assert.SkipUnless(File.Exists(path), $"No golden values at '{path}': this set has none of that kind.");
        return path;
    }

    /// <summary>Paths of the folders inside an area, in order; none where the area is absent.</summary>
    public static IReadOnlyList<string> Cases(string area)
    {
        string path = Path.Combine(s_root, area);
        return Directory.Exists(path) ? [.. Directory.GetDirectories(path).Order(StringComparer.Ordinal)] : [];
    }

    /// <summary>Rows of a theory over folder names; one row that <see cref="Require"/> skips where there are none.</summary>
    public static TheoryData<string> Rows(IEnumerable<string> names) => [.. names.DefaultIfEmpty(NoCase)];

    /// <summary>Rows of a theory over the folders of an area.</summary>
    public static TheoryData<string> Rows(string area, Func<string, bool>? accepts = null) =>
        Rows(Cases(area).Where(accepts ?? (_ => true)).Select(folder => Path.GetFileName(folder)));
}
