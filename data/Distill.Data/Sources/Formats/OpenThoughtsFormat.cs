using System.Text.Json;

namespace Distill.Data.Sources.Formats;

/// <summary>
/// OpenThoughts: <c>conversations</c> whose reply thinks between marks and boxes its answer, or the columns of its metadata. Its system
/// message describes those marks and is left out; <c>system: system</c> takes it in.
/// </summary>
internal sealed class OpenThoughtsFormat : IProblemFormat
{
    private const string SolutionBegins = "<|begin_of_solution|>", SolutionEnds = "<|end_of_solution|>";

    public string Name => "open_thoughts";

    public string Description => @"conversations of a question and a reply that boxes its answer, or problem and ground_truth_solution";

    public ColumnMapping Columns { get; } = new() { Domain = ColumnExpression.Parse("domain") };

    public bool Fits(RowValues row) => row.Find("conversations") is { ValueKind: JsonValueKind.Array }
        || (row.Find("problem") is not null && row.Find("deepseek_solution") is not null);

    public ProblemDraft Read(RowValues row, ColumnMapping columns)
    {
        var chat = ChatOf(row);
        string? answer = columns.Answer?.Read(row);
        string? solution = chat.Reply is { } reply ? Shown(reply) : null;
        if (answer is not { Length: > 0 } && solution is not null)
        {
            answer = MarkedAnswer.Of(solution)
                ?? throw new FormatException(@"the reply boxes no answer, and no column holds one; name it by 'answer'");
        }

        var draft = ColumnsFormat.Draft(row, columns, chat.Question, answer);
        return draft with { Solution = draft.Solution ?? solution };
    }

    public string Question(RowValues row, ColumnMapping columns) => ChatOf(row).Question;

    private static Chat ChatOf(RowValues row) => row.Find("conversations") is null ? Metadata(row) : Chat.Read(row, "conversations");

    private static Chat Metadata(RowValues row) => new(
        null, row.Text("problem") ?? throw new FormatException("'problem' has no value"),
        row.FirstText("ground_truth_solution", "deepseek_solution"));

    private static string Shown(string reply)
    {
        int begin = reply.LastIndexOf(SolutionBegins, StringComparison.Ordinal);
        if (begin < 0) return reply;
        string rest = reply[(begin + SolutionBegins.Length)..];
        int end = rest.IndexOf(SolutionEnds, StringComparison.Ordinal);
        return (end < 0 ? rest : rest[..end]).Trim();
    }
}
