using Distill.Storage;

namespace Distill.Data.Sources.Formats;

/// <summary>MATH (Hendrycks et al. 2021): a LaTeX solution whose last <c>\boxed{}</c> is the answer; level and type beside it.</summary>
internal sealed class MathFormat : IProblemFormat
{
    public string Name => "math";

    public string Description => @"problem; solution in LaTeX whose last \boxed{} is the answer";

    public ColumnMapping Columns { get; } = new()
    {
        Question = ColumnExpression.Parse("problem"),
        Solution = ColumnExpression.Parse("solution"),
        Domain = ColumnExpression.Parse("type"),
        Level = ColumnExpression.Parse("level"),
    };

    public bool Fits(RowValues row) =>
        row.Find("problem") is not null && row.Find("answer") is null && row.Text("solution") is { } solution
        && MarkedAnswer.Boxed(solution) is not null;

    public ProblemDraft Read(RowValues row, ColumnMapping columns)
    {
        string question = ColumnsFormat.Question(row, columns);
        string? given = columns.Answer?.Read(row);
        if (given is null && columns.Solution!.Read(row) is not { Length: > 0 })
            throw new FormatException($"no solution: {Printable.Quote(columns.Solution!.ToString())} has no value");
        string answer = given is { Length: > 0 } ? given : MarkedAnswer.Boxed(columns.Solution!.Read(row)!)
            ?? throw new FormatException(@"the solution has no \boxed{} with the answer");
        if (answer.Length == 0) throw new FormatException(@"nothing stands in the last \boxed{}");
        return ColumnsFormat.Draft(row, columns, question, answer) with { Verifier = "math" };
    }
}
