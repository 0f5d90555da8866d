using System.Globalization;
using System.Text;
using Distill.Data.Publishing;
using Microsoft.AspNetCore.Http;

namespace Distill.Service.Pages.Traces;

/// <summary>Which traces are listed, and which one is shown whole. What a browser sends is bounded here. Immutable.</summary>
internal sealed record TraceFilter
{
    private const int LongestWord = 200;

    private static readonly string[] Searched = ["problem", "reasoning", "answer", "problem_id", "reference_answer"];

    /// <summary>Columns that are chosen from, by the names in addresses.</summary>
    public static IReadOnlyList<(string Name, string Column, string Label)> Choices { get; } =
    [
        ("verdict", "verdict", "Verdict"), ("reason", "drop_reason", "Left out for"), ("domain", "domain", "Domain"),
        ("split", "split", "Split"), ("stop", "stop_reason", "Stopped by"),
    ];

    /// <summary>Wanted words, by the names of <see cref="Choices"/>.</summary>
    public IReadOnlyDictionary<string, string> Wanted { get; private init; } = new Dictionary<string, string>();

    /// <summary>In problem, reasoning, answer or id; null for any.</summary>
    public string? Text { get; private init; }

    public string? Problem { get; private init; }

    public int? Least { get; private init; }

    public int? Most { get; private init; }

    /// <summary>From 1.</summary>
    public int Page { get; private init; } = 1;

    /// <summary>Place, among those that match, of the one that is shown whole; null for the list.</summary>
    public int? At { get; private init; }

    public static TraceFilter Of(IQueryCollection query)
    {
        string? word(string name) => query[name].ToString() is { Length: > 0 and <= LongestWord } text ? text : null;
        int? number(string name) =>
            int.TryParse(query[name], NumberStyles.None, CultureInfo.InvariantCulture, out int found) ? found : null;
        return new()
        {
            Wanted = Choices.Select(choice => (choice.Name, Word: word(choice.Name))).Where(pair => pair.Word is not null)
                .ToDictionary(pair => pair.Name, pair => pair.Word!),
            Text = word("q"), Problem = word("problem"), Least = number("least"), Most = number("most"),
            Page = Math.Max(1, number("page") ?? 1), At = number("at"),
        };
    }

    public TraceFilter OnPage(int page) => this with { Page = page, At = null };

    public TraceFilter Showing(int at) => this with { At = at };

    /// <summary>As an address asks for it, with its question mark.</summary>
    public string ToQuery()
    {
        var parts = Wanted.Select(pair => (pair.Key, (string?)pair.Value)).Concat([
            ("q", Text), ("problem", Problem), ("least", Spelled(Least)), ("most", Spelled(Most)),
            ("page", Page > 1 && At is null ? Spelled(Page) : null), ("at", Spelled(At))]);
        return "?" + string.Join('&', parts.Where(part => part.Item2 is not null)
            .Select(part => $"{part.Item1}={ServicePaths.Escaped(part.Item2!)}"));
    }

    /// <summary>The condition in SQL; every word of it is quoted.</summary>
    /// <param name="isGraded">Whether there are verdicts.</param>
    public string ToSql(bool isGraded)
    {
        var conditions = new List<string> { "true" };
        foreach (var (name, column, _) in Choices)
        {
            if (Wanted.TryGetValue(name, out string? word) && (isGraded || !IsGrade(name))) conditions.Add($"{column} = {Quoted(word)}");
        }

        if (Problem is not null) conditions.Add($"problem_id = {Quoted(Problem)}");
        if (Least is { } least) conditions.Add(string.Create(CultureInfo.InvariantCulture, $"completion_tokens >= {least}"));
        if (Most is { } most) conditions.Add(string.Create(CultureInfo.InvariantCulture, $"completion_tokens <= {most}"));
        if (Text is not null)
        {
            string wanted = Quoted(Text.ToLowerInvariant());
            var found = Searched.Select(column => $"contains(lower(coalesce({column}, '')), {wanted})");
            conditions.Add($"({string.Join(" OR ", found)})");
        }

        return string.Join(" AND ", conditions);
    }

    public static bool IsGrade(string name) => name is "verdict" or "reason";

    // The database knows no NUL in a text, and nobody types one.
    private static string Quoted(string word)
    {
        var text = new StringBuilder(word.Length);
        foreach (char c in word.Where(c => c != '\0')) text.Append(c);
        return ClosedDatabase.Quote(text.ToString());
    }

    private static string? Spelled(int? number) => number?.ToString(CultureInfo.InvariantCulture);
}
