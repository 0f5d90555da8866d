namespace Distill.Data.Sources.Formats;

/// <summary>OpenR1-Math and its kin: problem, answer and solution, with a teacher's completions beside them, which are not read.</summary>
internal sealed class OpenR1Format : IProblemFormat
{
    public string Name => "open_r1";

    public string Description => "problem, solution, answer, and generations that are left alone";

    public ColumnMapping Columns { get; } = new()
    {
        Question = ColumnExpression.Parse("problem"),
        Answer = ColumnExpression.Parse("answer"),
        Solution = ColumnExpression.Parse("solution"),
        Domain = ColumnExpression.Parse("problem_type"),
        Id = ColumnExpression.Parse("uuid"),
    };

    public bool Fits(RowValues row) =>
        row.Find("problem") is not null && row.Find("answer") is not null && row.Find("generations") is not null;

    public ProblemDraft Read(RowValues row, ColumnMapping columns)
    {
        string question = ColumnsFormat.Question(row, columns);
        string? answer = columns.Answer!.Read(row);
        // Proofs and the like have none; some rows only box it.
        if (answer is not { Length: > 0 } && columns.Solution?.Read(row) is { } solution) answer = MarkedAnswer.Boxed(solution);
        return ColumnsFormat.Draft(row, columns, question, answer) with { Verifier = "math" };
    }
}
