using System.Text;
using Distill.Storage;

namespace Distill.Data.Sources.Formats;

/// <summary>Which columns of a source hold what. Each is a column, a path into one (<c>a.b</c>), or a template.</summary>
internal sealed record ColumnMapping
{
    public static ColumnMapping None { get; } = new();

    public ColumnExpression? Question { get; init; }

    public ColumnExpression? Answer { get; init; }

    public ColumnExpression? Solution { get; init; }

    /// <summary>One column with a list, or several, separated by commas.</summary>
    public string? Choices { get; init; }

    public ColumnExpression? System { get; init; }

    public ColumnExpression? Domain { get; init; }

    public ColumnExpression? Level { get; init; }

    public ColumnExpression? Id { get; init; }

    /// <summary>The columns that hold the choices.</summary>
    public string[] ChoiceColumns => Choices?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];

    /// <summary>This mapping, filled from another where it says nothing.</summary>
    public ColumnMapping Over(ColumnMapping other) => new()
    {
        Question = Question ?? other.Question,
        Answer = Answer ?? other.Answer,
        Solution = Solution ?? other.Solution,
        Choices = Choices ?? other.Choices,
        System = System ?? other.System,
        Domain = Domain ?? other.Domain,
        Level = Level ?? other.Level,
        Id = Id ?? other.Id,
    };

    /// <summary>Top-level columns that any of it reads.</summary>
    public IEnumerable<string> Columns =>
        new[] { Question, Answer, Solution, System, Domain, Level, Id }.OfType<ColumnExpression>().SelectMany(part => part.Columns)
            .Concat(ChoiceColumns.SelectMany(ColumnExpression.TopOf)).Distinct();
}

/// <summary>
/// A column, or a template: text with <c>{column}</c> in it, each replaced by the column's value; <c>{{</c> is a brace. Immutable.
/// </summary>
internal sealed class ColumnExpression
{
    private const int MostParts = 64;

    private readonly IReadOnlyList<(string Text, bool IsColumn)> parts;
    private readonly bool isTemplate;

    private ColumnExpression(IReadOnlyList<(string, bool)> parts, bool isTemplate) => (this.parts, this.isTemplate) = (parts, isTemplate);

    public IEnumerable<string> Columns => parts.Where(part => part.IsColumn).SelectMany(part => TopOf(part.Text));

    /// <exception cref="FormatException">A brace is not closed, or nothing stands in it.</exception>
    public static ColumnExpression Parse(string text)
    {
        if (!text.Contains('{', StringComparison.Ordinal)) return new ColumnExpression([(text, true)], isTemplate: false);
        var parts = new List<(string, bool)>();
        var plain = new StringBuilder();
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] is '{' or '}' && i + 1 < text.Length && text[i + 1] == text[i]) plain.Append(text[i++]);
            else if (text[i] == '{') i = Column(text, i, plain, parts);
            else plain.Append(text[i]);
        }

        if (plain.Length > 0) parts.Add((plain.ToString(), false));
        if (parts.Count > MostParts) throw new FormatException($"the template {Printable.Quote(text)} has more than {MostParts} parts");
        return new ColumnExpression(parts, isTemplate: true);
    }

    /// <returns>Null where the column, or every column of a template, is absent.</returns>
    /// <exception cref="FormatException">A column holds no text, or a column of a template is absent and others are not.</exception>
    public string? Read(RowValues row)
    {
        if (!isTemplate) return row.Text(parts[0].Text);
        var text = new StringBuilder();
        string? missing = null;
        bool any = false;
        foreach (var (part, isColumn) in parts)
        {
            string? value = isColumn ? row.Text(part) : part;
            if (value is null) missing ??= part;
            any |= isColumn && value is not null;
            text.Append(value);
        }

        return missing is null ? text.ToString()
            : any ? throw new FormatException($"{Printable.Quote(missing)} has no value") : null;
    }

    public override string ToString() =>
        isTemplate ? string.Concat(parts.Select(part => part.IsColumn ? $"{{{part.Text}}}" : part.Text)) : parts[0].Text;

    /// <summary>The columns that a path may lead into.</summary>
    public static IEnumerable<string> TopOf(string path)
    {
        yield return path;
        for (int point = path.IndexOf('.', StringComparison.Ordinal); point > 0; point = path.IndexOf('.', point + 1))
            yield return path[..point];
    }

    private static int Column(string text, int open, StringBuilder plain, List<(string, bool)> parts)
    {
        int close = text.IndexOf('}', open);
        if (close <= open + 1)
            throw new FormatException($"the template {Printable.Quote(text)} has a brace that names no column; write {{{{ for a brace");
        if (plain.Length > 0) parts.Add((plain.ToString(), false));
        plain.Clear();
        parts.Add((text[(open + 1)..close].Trim(), true));
        return close;
    }
}
