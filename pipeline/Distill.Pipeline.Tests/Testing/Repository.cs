namespace Distill.Pipeline.Tests.Testing;

/// <summary>The working tree that the tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Find(AppContext.BaseDirectory);

    public static string PathOf(string relative) => Path.Combine(Root, relative);

    private static string Find(string folder)
    {
        for (var at = new DirectoryInfo(folder); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "Distill.sln"))) return at.FullName;
        }

        throw new InvalidOperationException($"No Distill.sln above {folder}: the tests must run from the working tree.");
    }
}
