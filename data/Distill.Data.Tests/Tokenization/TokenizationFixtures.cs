using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Distill.Data.Tests.Tokenization;

/// <summary>Reference files made by other libraries; they are not part of the repository, so tests that need them may skip.</summary>
internal static class TokenizationFixtures
{
    public static string Root { get; } = Environment.GetEnvironmentVariable("DISTILL_FIXTURES")
        ?? Path.GetFullPath(Path.Combine(RepositoryRoot(), "../shared/fixtures"));

    /// <summary>Skips the test where the folder is absent.</summary>
    public static string Folder(string relative)
    {
        string path = Path.Combine(Root, relative);
        Assert.SkipUnless(Directory.Exists(path), $"no fixtures at {path}; set DISTILL_FIXTURES");
        return path;
    }

    /// <summary>Names of the folders inside; one empty name where there are none, so that a theory has a row to skip.</summary>
    public static IEnumerable<string> Folders(string relative)
    {
        string path = Path.Combine(Root, relative);
        return Directory.Exists(path) ? Directory.GetDirectories(path).Select(d => Path.GetFileName(d)).Order() : [""];
    }

    public static IEnumerable<JsonElement> Lines(string folder, string file)
    {
        foreach (string line in File.ReadLines(Path.Combine(folder, file)))
            if (line.Length > 0) yield return JsonDocument.Parse(line).RootElement;
    }

    public static int[] Ids(this JsonElement line, string name) => [.. line.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];

    public static string Text(this JsonElement line, string name) => line.GetProperty(name).GetString()!;

    private static string RepositoryRoot([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../.."));
}
