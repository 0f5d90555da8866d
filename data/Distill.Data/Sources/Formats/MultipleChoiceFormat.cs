using System.Globalization;
using System.Text;
using System.Text.Json;
using Distill.Storage;

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
            return (InColumns(row, named), []);
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

    /// <exception cref="FormatException">The answer names none of the options, or two of them: read one way and another.</exception>
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

    // A letter names a column: after a gap, each later text would stand under another letter than its own.
    private static string[] InColumns(RowValues row, string[] named)
    {
        string?[] values = [.. named.Select(name => row.Text(name))];
        int count = Array.FindLastIndex(values, value => !string.IsNullOrWhiteSpace(value)) + 1;
        if (count < 2) throw new FormatException($"fewer than two of {string.Join(", ", named)} have a value");
        int gap = Array.FindIndex(values, string.IsNullOrWhiteSpace);
        return gap < 0 || gap >= count ? [.. values.Take(count).OfType<string>()]
            : throw new FormatException($"{Printable.Quote(named[gap])} is empty and {Printable.Quote(named[count - 1])} is not");
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
        int text = isIndex ? -1 : Find(texts, StringComparison.Ordinal);
        return OneOf(answer, text, Lettered(answer, texts.Count), Index(answer, texts.Count));
    }

    // Options that are letters or numbers themselves: which one the answer means, nobody can tell.
    private static int OneOf(string answer, int text, int letter, int index)
    {
        int other = letter >= 0 ? letter : index; // an answer is not both
        if (text < 0 || other < 0 || text == other) return Math.Max(text, other);
        throw new FormatException($"the answer {Printable.Quote(answer)} is the text of choice {Letter(text)} and the "
            + $"{(letter >= 0 ? "letter" : "index")} of choice {Letter(other)}");
    }

    private static int Lettered(string answer, int count)
    {
        string letter = answer.TrimStart('(').TrimEnd(')', '.', ':');
        if (letter.Length != 1 || !char.IsAsciiLetter(letter[0])) return -1;
        int at = char.ToUpperInvariant(letter[0]) - 'A';
        return at < count ? at : -1;
    }

    private static int Index(string answer, int count) =>
        int.TryParse(answer, NumberStyles.None, CultureInfo.InvariantCulture, out int index) && index < count ? index : -1;

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
