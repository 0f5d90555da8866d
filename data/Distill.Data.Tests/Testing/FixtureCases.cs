using System.Text.Json;

namespace Distill.Testing;

/// <summary>
/// Golden values that lie in one file, <c>{ "cases": [{ "name": … }, …] }</c>: a theory's rows are the cases of every source, as those of
/// <see cref="FixtureFolder"/> are folders.
/// </summary>
internal static class FixtureCases
{
    /// <summary>Rows over the names of the cases; one row that <see cref="Require"/> skips where there are none.</summary>
    /// <param name="parts">The file's path from the root of a source.</param>
    public static TheoryData<string> Rows(Func<JsonElement, bool> accepts, params string[] parts) =>
        FixtureFolder.Rows(FixtureFolder.Places(parts).Where(File.Exists).SelectMany(path => Read(path).Where(accepts).Select(NameOf)));

    /// <summary>The file that holds the case of a row, and the case; skips the test when there is none.</summary>
    public static (string Path, JsonElement Case) Require(string row, params string[] parts)
    {
        FixtureFolder.RequireFile(parts);
        var (places, name) = FixtureFolder.PlacesOf(row, parts);
        foreach (string path in places.Where(File.Exists))
            foreach (var found in Read(path).Where(entry => NameOf(entry) == name)) return (path, found);
        Assert.Skip($"No case '{name}' in '{Path.Combine(parts)}' of any set of golden values at hand.");
        return default;
    }

    private static string NameOf(JsonElement entry) => entry.GetProperty("name").GetString()!;

    private static List<JsonElement> Read(string path)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(path));
        return [.. document.RootElement.GetProperty("cases").EnumerateArray().Select(entry => entry.Clone())];
    }
}
