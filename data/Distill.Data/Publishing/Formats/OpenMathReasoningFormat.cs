using System.Text.Json;

namespace Distill.Data.Publishing.Formats;

/// <summary>The columns of <c>nvidia/OpenMathReasoning</c>: one solution a row, the thought in its marks.</summary>
internal sealed record OpenMathReasoningFormat()
    : TraceFormat("openmathreasoning", "columns of nvidia/OpenMathReasoning: one generated solution a row")
{
    public override IReadOnlyList<(string Name, string Type)> Columns { get; } =
    [
        ("expected_answer", "VARCHAR"), ("problem_type", "VARCHAR"), ("problem_source", "VARCHAR"), ("generation_model", "VARCHAR"),
        ("pass_rate_72b_tir", "VARCHAR"), ("problem", "VARCHAR"), ("generated_solution", "VARCHAR"), ("inference_mode", "VARCHAR"),
        ("used_in_kaggle", "BOOLEAN"),
    ];

    public override bool Fits(ForeignRow row) => row.Has("problem") && row.Has("generated_solution");

    public override void Write(Utf8JsonWriter row, IReadOnlyList<PublishedTrace> traces)
    {
        var trace = traces[0].Trace;
        row.WriteString("expected_answer", trace.Problem.ReferenceAnswer);
        row.WriteString("problem_type", "has_answer_extracted");
        row.WriteString("problem_source", trace.Problem.Source);
        row.WriteString("generation_model", trace.Teacher);
        row.WriteString("pass_rate_72b_tir", "n/a");
        row.WriteString("problem", trace.Problem.Text);
        row.WriteString("generated_solution", traces[0].Completion);
        row.WriteString("inference_mode", "cot");
        row.WriteBoolean("used_in_kaggle", false);
    }

    public override IEnumerable<ImportedTrace> Read(ForeignRow row)
    {
        var (reasoning, answer) = ReasoningText.Split(row.Text("generated_solution"));
        yield return new ImportedTrace(row.Text("problem"), reasoning, answer)
        {
            ReferenceAnswer = row.OptionalText("expected_answer"),
            Source = row.OptionalText("problem_source"),
            Teacher = row.OptionalText("generation_model"),
        };
    }
}
