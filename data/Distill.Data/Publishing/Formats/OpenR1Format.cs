using System.Text.Json;

namespace Distill.Data.Publishing.Formats;

/// <summary>
/// The columns of <c>open-r1/OpenR1-Math-220k</c>: a row is a problem with all its generations, and lists beside them say of each whether
/// it is complete and correct. <c>messages</c> holds the first correct one.
/// </summary>
internal sealed record OpenR1Format() : TraceFormat("openr1", "columns of open-r1/OpenR1-Math-220k: a problem with all its generations")
{
    public override IReadOnlyList<(string Name, string Type)> Columns { get; } =
    [
        ("problem", "VARCHAR"), ("solution", "VARCHAR"), ("answer", "VARCHAR"), ("problem_type", "VARCHAR"), ("question_type", "VARCHAR"),
        ("source", "VARCHAR"), ("uuid", "VARCHAR"), ("is_reasoning_complete", "BOOLEAN[]"), ("generations", "VARCHAR[]"),
        ("correctness_math_verify", "BOOLEAN[]"), ("correctness_llama", "BOOLEAN[]"), ("finish_reasons", "VARCHAR[]"),
        ("correctness_count", "BIGINT"), ("messages", "STRUCT(\"content\" VARCHAR, \"role\" VARCHAR)[]"),
    ];

    public override bool IsRowPerProblem => true;

    public override bool Fits(ForeignRow row) => row.Has("problem") && row.Has("generations");

    public override void Write(Utf8JsonWriter row, IReadOnlyList<PublishedTrace> traces)
    {
        var problem = traces[0].Trace.Problem;
        row.WriteString("problem", problem.Text);
        row.WriteString("solution", problem.ReferenceSolution);
        row.WriteString("answer", problem.ReferenceAnswer);
        row.WriteString("problem_type", problem.Domain);
        row.WriteString("question_type", problem.Choices.Count > 0 ? "MCQ" : "math-word-problem");
        row.WriteString("source", problem.Source);
        row.WriteString("uuid", problem.Id);
        WriteList("is_reasoning_complete", trace => row.WriteBooleanValue(trace.IsComplete));
        WriteList("generations", trace => row.WriteStringValue(trace.Completion));
        if (traces.Any(trace => trace.Grade is not null))
            WriteList("correctness_math_verify", trace => row.WriteBooleanValue(trace.IsCorrect));
        else row.WriteNull("correctness_math_verify");
        row.WriteNull("correctness_llama");
        WriteList("finish_reasons", trace => row.WriteStringValue(trace.Trace.StopReason));
        row.WriteNumber("correctness_count", traces.Count(trace => trace.IsCorrect));
        row.WriteStartArray("messages");
        ChatMessages.WritePrompt(row, problem.System, problem.Text);
        ChatMessages.Write(row, "assistant", (traces.FirstOrDefault(trace => trace.IsCorrect) ?? traces[0]).Completion);
        row.WriteEndArray();

        void WriteList(string name, Action<PublishedTrace> write)
        {
            row.WriteStartArray(name);
            foreach (var trace in traces) write(trace);
            row.WriteEndArray();
        }
    }

    public override IEnumerable<ImportedTrace> Read(ForeignRow row)
    {
        var generations = row.Texts("generations");
        var complete = row.Flags("is_reasoning_complete");
        var reasons = row.Texts("finish_reasons");
        string? system = row.Has("messages") ? ChatMessages.Read(row.Required("messages"), "messages").System : null;
        for (int i = 0; i < generations.Count; i++)
        {
            string generation = generations[i] ?? throw new FormatException($"'generations' has no text at {i + 1}.");
            var (reasoning, answer) = ReasoningText.Split(generation);
            bool isComplete = complete.ElementAtOrDefault(i) ?? answer is not null;
            yield return new ImportedTrace(row.Text("problem"), reasoning, answer)
            {
                Id = row.OptionalText("uuid"),
                ReferenceAnswer = row.OptionalText("answer"),
                ReferenceSolution = row.OptionalText("solution"),
                System = system,
                Source = row.OptionalText("source"),
                Domain = row.OptionalText("problem_type"),
                StopReason = reasons.ElementAtOrDefault(i) ?? (isComplete ? "stop" : "length"),
                SampleIndex = i,
            };
        }
    }
}
