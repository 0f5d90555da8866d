namespace Distill.Benchmarks.Workloads;

/// <summary>The working tree that the program was built from: it holds the committed models.</summary>
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

        throw new InvalidOperationException($"No Distill.sln above {folder}: the benchmarks must run from the working tree.");
    }
}

/// <summary>A folder that goes with its owner.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("distill-benchmark-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
