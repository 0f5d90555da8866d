namespace Distill.Export.Tests.Support;

/// <summary>Golden values beside the repository, or where DISTILL_FIXTURES says.</summary>
internal static class FixtureFolder
{
    /// <summary>The folder of a fixture set; skips the test when it is absent.</summary>
    public static string Require(string set)
    {
        string path = Path.Combine(Root(), set);
        Assert.SkipUnless(Directory.Exists(path), $"fixtures '{set}' are not at '{path}' (set DISTILL_FIXTURES)");
        return path;
    }

    private static string Root()
    {
        if (Environment.GetEnvironmentVariable("DISTILL_FIXTURES") is { Length: > 0 } given) return given;
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Distill.sln"))) folder = folder.Parent;
        return Path.Combine(folder?.Parent?.FullName ?? ".", "shared", "fixtures");
    }
}
