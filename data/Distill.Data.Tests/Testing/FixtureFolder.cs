namespace Distill.Testing;

/// <summary>
/// Golden values of reference implementations, from two sources in one format: the folders named Golden of this repository's test
/// projects, which are always there, and a larger set outside of it (DISTILL_FIXTURES, or ../shared/fixtures beside the repository).
/// Theories run over both. A test that asks for one place gets the larger set's where there is one, and skips where neither has it.
/// </summary>
internal static class FixtureFolder
{
    // A theory without rows fails; this row finds no folder, so the theory skips.
    private const string NoCase = "(none)";

    // Ends the row of a case that both sources have: the repository's.
    private const string Ours = " (repository)";

    private static readonly string s_outside = Environment.GetEnvironmentVariable("DISTILL_FIXTURES") is { Length: > 0 } given
        ? Path.GetFullPath(given)
        : Path.GetFullPath(Path.Combine(RepositoryFolder.Root, "..", "shared", "fixtures"));

    // One for each test project that keeps some beside its tests.
    private static readonly string[] s_inside =
    [
        .. Directory.GetDirectories(RepositoryFolder.Root)
            .SelectMany(folder => Directory.GetDirectories(folder, "*.Tests"))
            .Select(project => Path.Combine(project, "Golden"))
            .Where(Directory.Exists)
            .Order(StringComparer.Ordinal),
    ];

    private static IEnumerable<string> Sources => [s_outside, .. s_inside];

    /// <summary>A folder of golden values; skips the test when it is absent.</summary>
    /// <param name="parts">Its path from the root of a source; a part may be the name of a row.</param>
    public static string Require(params string[] parts)
    {
        string? path = Places(parts).FirstOrDefault(Directory.Exists);
        Assert.SkipWhen(path is null, $"No golden values at '{Missing(parts)}'; set DISTILL_FIXTURES to their folder.");
        return path!;
    }

    /// <summary>A file of golden values; skips the test when it is absent.</summary>
    /// <inheritdoc cref="Require" path="/param"/>
    public static string RequireFile(params string[] parts)
    {
        string? path = Places(parts).FirstOrDefault(File.Exists);
        Assert.SkipWhen(path is null, $"No golden values at '{Missing(parts)}': no set at hand has any of that kind.");
        return path!;
    }

    /// <summary>Paths of the folders inside an area, in order, of one source after the other; none where no source has the area.</summary>
    public static IReadOnlyList<string> Cases(string area) =>
    [
        .. Sources.Select(source => Path.Combine(source, area)).Where(Directory.Exists)
            .SelectMany(folder => Directory.GetDirectories(folder).Order(StringComparer.Ordinal)),
    ];

    /// <summary>
    /// Rows of a theory over folder names; one row that <see cref="Require"/> skips where there are none. A name that comes twice is a case
    /// of both sources: <see cref="Require"/> tells its rows apart.
    /// </summary>
    public static TheoryData<string> Rows(IEnumerable<string> names)
    {
        var seen = new HashSet<string>();
        return [.. names.Select(name => seen.Add(name) ? name : name + Ours).DefaultIfEmpty(NoCase)];
    }

    /// <summary>Rows of a theory over the folders of an area.</summary>
    public static TheoryData<string> Rows(string area, Func<string, bool>? accepts = null) =>
        Rows(Cases(area).Where(accepts ?? (_ => true)).Select(folder => Path.GetFileName(folder)));

    /// <summary>Where a path may be, whether it is or not: the larger set first.</summary>
    public static IEnumerable<string> Places(params string[] parts)
    {
        string[] names = [.. parts.Select(Name)];
        return (parts.Any(IsOurs) ? s_inside : Sources).Select(source => Path.Combine([source, .. names]));
    }

    /// <summary>Where a file may be that holds the case of a row, and the case's own name.</summary>
    public static (IEnumerable<string> Places, string Name) PlacesOf(string row, params string[] parts) =>
        ((IsOurs(row) ? s_inside : Sources).Select(source => Path.Combine([source, .. parts])), Name(row));

    private static bool IsOurs(string row) => row.EndsWith(Ours, StringComparison.Ordinal);

    private static string Name(string row) => IsOurs(row) ? row[..^Ours.Length] : row;

    private static string Missing(string[] parts) => Path.Combine([s_outside, .. parts]);
}
