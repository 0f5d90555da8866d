using System.Text.Json;

namespace Distill.Data.Tests.Verification;

/// <summary>Rows of the golden files on verification: the repository's and the larger set's.</summary>
internal static class VerificationFixtures
{
    /// <summary>The rows of one file from every set that has it; never none, since the repository has them all.</summary>
    public static IReadOnlyList<JsonElement> Rows(string file)
    {
        var places = FixtureFolder.Places("verification", file).Where(File.Exists);
        List<JsonElement> rows = [.. places.SelectMany(File.ReadLines).Select(Parse)];
        rows.ShouldNotBeEmpty();
        return rows;
    }

    public static string Text(this JsonElement row, string name) => row.GetProperty(name).GetString()!;

    public static bool Flag(this JsonElement row, string name) => row.TryGetProperty(name, out var value) && value.GetBoolean();

    /// <summary>Parts to join; one that is a list of a text and a count is repeated.</summary>
    public static string Joined(this JsonElement row, string name) => string.Concat(row.GetProperty(name).EnumerateArray().Select(part =>
        part.ValueKind == JsonValueKind.String
            ? part.GetString()
            : string.Concat(Enumerable.Repeat(part[0].GetString(), part[1].GetInt32()))));

    private static JsonElement Parse(string line)
    {
        using var document = JsonDocument.Parse(line);
        return document.RootElement.Clone();
    }
}
