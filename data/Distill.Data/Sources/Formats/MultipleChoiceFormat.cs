using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Distill.Data.Sources.Formats;

/// <summary>
/// A question with options: <c>choices</c> is a list, or texts with labels beside them (ARC), or columns. The answer is a label, the text
/// of an option, or its index from 0 (MMLU); it becomes the letter under which the option is shown.
/// </summary>
internal sealed class MultipleChoiceFormat : IProblemFormat
{
    private static readonly string[] Answers = ["answer", "answerKey", "answer_key", "label", "answer_idx", "correct", "gold"];

    public string Name => "multiple_choice";

    public string Description => "question, choices (a list or columns), answer as letter, text or index from 0";

    public ColumnMapping Columns { get; } = new() { Question = ColumnExpression.Parse("question") };

    public bool Fits(RowValues row) =>
        row.Find("question") is not null && ListColumn(row) is not null && Answers.Any(name => row.Find(name) is not null);

    /// <summary>The column that holds the options.</summary>
    public static string? ListColumn(RowValues row) =>
        ((string[])["choices", "options", "endings"]).FirstOrDefault(name => row.Find(name) is not null);

    public ProblemDraft Read(RowValues row, ColumnMapping columns)
    {
        string path = columns.Answer?.ToString() ?? Answers.FirstOrDefault(name => row.Find(name) is not null) ?? "answer";
        bool isIndex = row.Find(path) is { ValueKind: JsonValueKind.Number };
        string? answer = columns.Answer is null ? row.Text(path) : columns.Answer.Read(row);
        var choices = ChoiceQuestion.Choices(row, columns);
        var draft = ColumnsFormat.Draft(row, columns with { Choices = null }, ColumnsFormat.Question(row, columns), answer);
        return ChoiceQuestion.With(draft, choices, isIndex);
    }
}

/// <summary>Options below a question, each with its letter.</summary>
internal static class ChoiceQuestion
{
    private const int MostChoices = 26;

    /// <summary>Options in their order, with the labels that the data set gives them; no labels: letters.</summary>
    /// <exception cref="FormatException">There are none, or they are no texts.</exception>
    public static (IReadOnlyList<string> Texts, IReadOnlyList<string> Labels) Choices(RowValues row, ColumnMapping columns)
    {
        string[] named = columns.ChoiceColumns;
        if (named.Length > 1)
        {
            string[] several = [.. named.Select(name => row.Text(name)).OfType<string>()];
            return several.Length > 1 ? (several, [])
                : throw new FormatException($"fewer than two of {string.Join(", ", named)} have a value");
        }

        string column = named.Length == 1 ? named[0] : MultipleChoiceFormat.ListColumn(row) ?? "choices";
        if (row.Find(column) is { ValueKind: JsonValueKind.Object } labelled)
        {
            var inner = new RowValues(labelled);
            if (inner.Find("text") is { ValueKind: JsonValueKind.Array }) return (inner.Texts("text")!, inner.Texts("label") ?? []);
            // { "A": "...", "B": "..." }
            return ([.. labelled.EnumerateObject().Select(pair => RowValues.TextOf(pair.Value, column))], [.. inner.Columns]);
        }

        var list = row.Texts(column);
        return list is { Count: > 1 } ? (list, []) : throw new FormatException($"{Printable.Quote(column)} has fewer than two choices");
    }

    /// <exception cref="FormatException">The answer names none of the options.</exception>
    public static ProblemDraft With(
        ProblemDraft draft, (IReadOnlyList<string> Texts, IReadOnlyList<string> Labels) choices, bool answerIsIndex)
    {
        var (texts, labels) = choices;
        if (texts.Count > MostChoices) throw new FormatException($"{texts.Count} choices; letters name at most {MostChoices}");
        int right = IndexOf(draft.Answer, texts, labels, answerIsIndex);
        if (right < 0)
            throw new FormatException($"the answer {Printable.Quote(draft.Answer)} names none of the {texts.Count} choices");
        return draft with
        {
            Text = ShowsChoices(draft.Text, texts) ? draft.Text : Shown(draft.Text, texts),
            Answer = Letter(right),
            Choices = texts,
            Verifier = "choice",
        };
    }

    private static int IndexOf(string answer, IReadOnlyList<string> texts, IReadOnlyList<string> labels, bool isIndex)
    {
        answer = answer.Trim();
        int Find(IReadOnlyList<string> list, StringComparison comparison)
        {
            for (int i = 0; i < list.Count; i++)
            {
                if (string.Equals(list[i].Trim(), answer, comparison)) return i;
            }

            return -1;
        }

        int found = Find(labels, StringComparison.OrdinalIgnoreCase);
        if (found >= 0 && found < texts.Count) return found;
        if (!isIndex && Find(texts, StringComparison.Ordinal) is var text and >= 0) return text;
        string letter = answer.TrimStart('(').TrimEnd(')', '.', ':');
        if (letter.Length == 1 && char.IsAsciiLetter(letter[0]) && char.ToUpperInvariant(letter[0]) - 'A' is var at && at < texts.Count)
            return at;
        return int.TryParse(answer, NumberStyles.None, CultureInfo.InvariantCulture, out int index) && index < texts.Count ? index : -1;
    }

    private static string Letter(int index) => ((char)('A' + index)).ToString();

    // A question that lists its options itself is asked as it is.
    private static bool ShowsChoices(string question, IReadOnlyList<string> texts)
    {
        for (int i = 0; i < texts.Count; i++)
        {
            string letter = Letter(i);
            string[] labels = [$"\n{letter}.", $"\n{letter})", $"\n{letter}:", $"({letter})"];
            bool hasLabel = labels.Any(label => question.Contains(label, StringComparison.Ordinal));
            if (!hasLabel || !question.Contains(texts[i].Trim(), StringComparison.Ordinal)) return false;
        }

        return true;
    }

    private static string Shown(string question, IReadOnlyList<string> texts)
    {
        var text = new StringBuilder(question.TrimEnd()).Append("\n\n");
        for (int i = 0; i < texts.Count; i++) text.Append(i == 0 ? "" : "\n").Append(Letter(i)).Append(". ").Append(texts[i].Trim());
        return text.ToString();
    }
}
