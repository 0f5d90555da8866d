using System.Text.Json;

namespace Distill.Data.Tests.Tokenization;

/// <summary>Files of golden values with one JSON object a line.</summary>
internal static class ReferenceLines
{
    public static IEnumerable<JsonElement> Read(string folder, string file)
    {
        foreach (string line in File.ReadLines(Path.Combine(folder, file)))
            if (line.Length > 0) yield return JsonDocument.Parse(line).RootElement;
    }

    public static int[] Ids(this JsonElement line, string name) => [.. line.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];

    public static string Text(this JsonElement line, string name) => line.GetProperty(name).GetString()!;
}
