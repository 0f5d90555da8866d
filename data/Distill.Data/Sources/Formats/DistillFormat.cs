using Distill.Data.Problems;

namespace Distill.Data.Sources.Formats;

/// <summary>Problems as Distill itself writes them (<see cref="ProblemFile"/>): each with its id, signature and verifier.</summary>
internal sealed class DistillFormat : IProblemFormat
{
    public string Name => "distill";

    public string Description => "problems as Distill writes them: problem_id, problem, reference_answer, ...";

    public ColumnMapping Columns => ColumnMapping.None;

    public bool Fits(RowValues row) =>
        row.Find("problem_id") is not null && row.Find("problem") is not null && row.Find("reference_answer") is not null
        && row.Find("signature") is not null;

    public ProblemDraft Read(RowValues row, ColumnMapping columns)
    {
        var problem = ProblemFile.Read(row.Row);
        return new ProblemDraft(problem.Text, problem.ReferenceAnswer) { Whole = problem };
    }
}
