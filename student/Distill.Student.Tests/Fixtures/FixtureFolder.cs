namespace Distill.Student.Tests.Fixtures;

/// <summary>Golden values of reference implementations: DISTILL_FIXTURES, or ../shared/fixtures beside the repository.</summary>
internal static class FixtureFolder
{
    /// <summary>The folders of an area, or a skip that says what is missing.</summary>
    public static IReadOnlyList<string> Cases(string area, string requiredFile)
    {
        string root = Path.Combine(Root(), area);
        Assert.SkipUnless(Directory.Exists(root), $"Golden values not found at {root}; set DISTILL_FIXTURES.");
        return [.. Directory.GetDirectories(root).Where(folder => File.Exists(Path.Combine(folder, requiredFile))).Order()];
    }

    private static string Root()
    {
        if (Environment.GetEnvironmentVariable("DISTILL_FIXTURES") is { Length: > 0 } given) return given;
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Distill.sln"))) folder = folder.Parent;
        return Path.GetFullPath(Path.Combine(folder?.FullName ?? ".", "..", "shared", "fixtures"));
    }
}
