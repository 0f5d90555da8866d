namespace Distill.Testing;

/// <summary>
/// Real models for tests: DISTILL_MODELS, or ../shared/models beside the repository. They are no part of the repository, so a test
/// that needs one skips where it is absent.
/// </summary>
internal static class SharedModel
{
    private static readonly string s_root = Environment.GetEnvironmentVariable("DISTILL_MODELS") is { Length: > 0 } given
        ? Path.GetFullPath(given)
        : Path.GetFullPath(Path.Combine(RepositoryFolder.Root, "..", "shared", "models"));

    /// <summary>Names of the models at hand, in order; none where the folder of models is absent.</summary>
    public static IReadOnlyList<string> Names => Directory.Exists(s_root)
        ? [.. Directory.GetDirectories(s_root).Select(folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal)]
        : [];

    /// <summary>A model's folder; skips the test when it is absent.</summary>
    public static string Require(string name)
    {
        string path = Path.Combine(s_root, name);
        Assert.SkipUnless(Directory.Exists(path), $"No model at '{path}'; set DISTILL_MODELS to the folder of models.");
        return path;
    }
}
