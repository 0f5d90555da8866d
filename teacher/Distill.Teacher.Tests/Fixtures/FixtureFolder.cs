namespace Distill.Teacher.Tests.Fixtures;

/// <summary>Golden values outside the repository: <c>DISTILL_FIXTURES</c>, or ../shared/fixtures beside the repository.</summary>
internal static class FixtureFolder
{
    public static string? Root { get; } = Find();

    /// <summary>A folder of golden values; skips the test when it is not there.</summary>
    public static string Require(string name)
    {
        string? path = Root is null ? null : Path.Combine(Root, name);
        Assert.SkipUnless(Directory.Exists(path), $"Golden values '{name}' not found: set DISTILL_FIXTURES to their folder.");
        return path!;
    }

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("DISTILL_FIXTURES") is { Length: > 0 } set) return set;
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Distill.sln"))) return Path.Combine(folder.FullName, "..", "shared", "fixtures");
        }

        return null;
    }
}
