using System.Globalization;
using Distill.Storage;

namespace Distill.Data.Sources.Formats;

/// <summary>A question, an answer, and whatever else a source names, each in a column.</summary>
internal sealed class ColumnsFormat : IProblemFormat
{
    private static readonly string[] Questions = ["question", "problem", "prompt", "instruction", "query", "input", "text"];

    private static readonly string[] Answers =
        ["answer", "final_answer", "expected_answer", "reference_answer", "gold", "target", "label", "output", "response", "completion"];

    public const string FormatName = "columns";

    public string Name => FormatName;

    public string Description => "question and answer in columns, which may be named";

    public ColumnMapping Columns => ColumnMapping.None;

    public bool Fits(RowValues row) => true;

    public ProblemDraft Read(RowValues row, ColumnMapping columns)
    {
        string? answer = columns.Answer is null ? row.FirstText(Answers) : columns.Answer.Read(row);
        return Draft(row, columns, Question(row, columns), answer);
    }

    /// <summary>The column that the answer would be taken from.</summary>
    public static string? AnswerColumn(RowValues row) => Answers.FirstOrDefault(name => row.Find(name) is not null);

    /// <summary>The column that the question would be taken from.</summary>
    public static string? QuestionColumn(RowValues row) => Questions.FirstOrDefault(name => row.Find(name) is not null);

    public static string Question(RowValues row, ColumnMapping columns)
    {
        string? text = columns.Question is null ? row.FirstText(Questions) : columns.Question.Read(row);
        return text is { Length: > 0 } ? text : throw new FormatException(columns.Question is null
            ? $"no question: none of the columns {string.Join(", ", Questions)} has a value (there are {Shown(row)})"
            : $"no question: {Printable.Quote(columns.Question.ToString())} has no value (there are {Shown(row)})");
    }

    /// <summary>What all formats with columns share: everything but the question and the answer.</summary>
    /// <exception cref="FormatException">There is no answer.</exception>
    public static ProblemDraft Draft(RowValues row, ColumnMapping columns, string question, string? answer)
    {
        if (answer is not { Length: > 0 })
        {
            throw new FormatException(columns.Answer is null
                ? $"no answer: none of the columns {string.Join(", ", Answers.Take(5))} has a value (there are {Shown(row)})"
                : $"no answer: {Printable.Quote(columns.Answer.ToString())} has no value");
        }

        var draft = new ProblemDraft(question, answer)
        {
            Solution = columns.Solution?.Read(row),
            System = columns.System?.Read(row),
            Domain = columns.Domain?.Read(row),
            Level = LevelOf(columns.Level?.Read(row)),
            Id = columns.Id?.Read(row),
        };
        return columns.Choices is null ? draft : ChoiceQuestion.With(draft, ChoiceQuestion.Choices(row, columns), answerIsIndex: false);
    }

    // "Level 5" is a level too.
    private static int LevelOf(string? text)
    {
        if (text is null) return 1;
        var digits = text.AsSpan().Trim();
        digits = digits[(digits.LastIndexOfAnyExceptInRange('0', '9') + 1)..];
        return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int level) && level > 0 ? level : 1;
    }

    private static string Shown(RowValues row) => Printable.Of(string.Join(", ", row.Columns.Take(12)));
}
