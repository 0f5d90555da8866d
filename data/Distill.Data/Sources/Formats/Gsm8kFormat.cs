namespace Distill.Data.Sources.Formats;

/// <summary>
/// GSM8K (Cobbe et al. 2021): the answer is a solution in steps with calculator marks, then <c>####</c> and the number. The marks stay in
/// the solution, because they say how each number follows; <see cref="Problems.SolutionText"/> removes them for whoever reads it.
/// </summary>
internal sealed class Gsm8kFormat : IProblemFormat
{
    public string Name => "gsm8k";

    public string Description => "question; answer is a solution, then #### and the answer";

    public ColumnMapping Columns { get; } =
        new() { Question = ColumnExpression.Parse("question"), Answer = ColumnExpression.Parse("answer") };

    public bool Fits(RowValues row) => row.Find("question") is not null && IsAnswer(row.Text("answer"));

    public static bool IsAnswer(string? text) => text?.Contains(MarkedAnswer.HashMark, StringComparison.Ordinal) == true;

    public ProblemDraft Read(RowValues row, ColumnMapping columns)
    {
        var draft = ColumnsFormat.Draft(row, columns, ColumnsFormat.Question(row, columns), columns.Answer!.Read(row));
        int mark = draft.Answer.LastIndexOf(MarkedAnswer.HashMark, StringComparison.Ordinal);
        if (mark < 0) throw new FormatException($"the answer has no {MarkedAnswer.HashMark} before what counts");
        string answer = MarkedAnswer.AfterHashes(draft.Answer)!, solution = draft.Answer[..mark].Trim();
        if (answer.Length == 0) throw new FormatException($"nothing stands after {MarkedAnswer.HashMark}");
        return draft with { Answer = answer, Solution = draft.Solution ?? (solution.Length == 0 ? null : solution), Verifier = "math" };
    }
}
