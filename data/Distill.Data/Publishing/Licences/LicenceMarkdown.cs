using System.Text;
using System.Text.Json;
using Distill.Storage;

namespace Distill.Data.Publishing.Licences;

/// <summary>What cards say of licences: a section for people, and a mark for the command that publishes.</summary>
internal static class LicenceMarkdown
{
    private const string Mark = "distill_publish_refused: ", Card = "README.md";
    private const int MostHeaderLines = 2000;

    /// <summary>The section; empty where there are no parts.</summary>
    public static string Section(IReadOnlyList<LicensedPart> parts)
    {
        if (parts.Count == 0) return "";
        var text = new StringBuilder("## Licences\n\n| part | name | licence | what its text says |\n|---|---|---|---|\n");
        foreach (var part in parts)
        {
            var known = LicenceTable.Find(part.Licence);
            string id = part.Licence is null ? "not stated" : LicenceTable.Normal(part.Licence);
            string terms = known is null ? "not known here"
                : known.Terms.Count == 0 ? "no conditions" : string.Join(", ", known.Terms.Select(Licence.Word));
            text.Append($"| {part.Role} | {Cell(part.Name)} | {(known is null ? Cell(id) : $"[{id}]({known.Url})")} | {terms} |\n");
        }

        return text.Append("\nThe words are facts about the texts that the identifiers stand for, and no legal advice.\n\n").ToString();
    }

    /// <summary>A line of a card's header that keeps the folder from being published; empty where nothing stands against it.</summary>
    public static string Refusal(IReadOnlyList<LicenceConflict> conflicts) =>
        conflicts.Count == 0 ? "" : Mark + JsonSerializer.Serialize(string.Join("; ", conflicts)) + "\n";

    /// <summary>Why a folder may not be published, as its card says; null when nothing stands against it.</summary>
    public static string? RefusalOf(string folder)
    {
        string card = Path.Combine(folder, Card);
        if (!File.Exists(card)) return null;
        var header = File.ReadLines(card).Take(MostHeaderLines).Skip(1).TakeWhile(line => line != "---");
        string? marked = header.FirstOrDefault(line => line.StartsWith(Mark, StringComparison.Ordinal));
        if (marked is null) return null;
        try
        {
            return JsonSerializer.Deserialize<string>(marked[Mark.Length..]);
        }
        catch (JsonException)
        {
            return marked[Mark.Length..]; // somebody wrote it by hand
        }
    }

    /// <summary>Text of a file within a table: shown as it is, neither markup nor the end of a cell.</summary>
    public static string Cell(string text) => Printable.Of(text).Replace("|", "\\|", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal);
}
