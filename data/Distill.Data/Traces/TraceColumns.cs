using Parquet.Schema;

namespace Distill.Data.Traces;

/// <summary>The one place where the columns of a trace file are spelled, in file order.</summary>
internal static class TraceColumns
{
    public static IReadOnlyList<TraceColumn> Raw { get; } =
    [
        Text("problem_id", row => row.ProblemId, (row, value) => row.ProblemId = value),
        Text("problem", row => row.Problem, (row, value) => row.Problem = value),
        Text("reference_answer", row => row.ReferenceAnswer, (row, value) => row.ReferenceAnswer = value),
        Text("domain", row => row.Domain, (row, value) => row.Domain = value),
        Text("split", row => row.Split, (row, value) => row.Split = value),
        Text("source", row => row.Source, (row, value) => row.Source = value),
        new MessagesColumn(),
        Text("reasoning", row => row.Reasoning, (row, value) => row.Reasoning = value),
        OptionalText("answer", row => row.Answer, (row, value) => row.Answer = value),
        Number<int>("completion_tokens", "int32", row => row.CompletionTokens, (row, value) => row.CompletionTokens = value),
        Number<int>("prompt_tokens", "int32", row => row.PromptTokens, (row, value) => row.PromptTokens = value),
        Text("stop_reason", row => row.StopReason, (row, value) => row.StopReason = value),
        OptionalText("refusal", row => row.Refusal, (row, value) => row.Refusal = value),
        Number<int>("sample_index", "int32", row => row.SampleIndex, (row, value) => row.SampleIndex = value),
        Number<ulong>("seed", "uint64", row => row.Seed, (row, value) => row.Seed = value),
        Text("sampling", row => row.Sampling, (row, value) => row.Sampling = value),
        Text("teacher", row => row.Teacher, (row, value) => row.Teacher = value),
        Text("teacher_digest", row => row.TeacherDigest, (row, value) => row.TeacherDigest = value),
        Text("template_digest", row => row.TemplateDigest, (row, value) => row.TemplateDigest = value),
        Text("tokenizer_fingerprint", row => row.TokenizerFingerprint, (row, value) => row.TokenizerFingerprint = value),
        new ListColumn<int>("token_ids", "int32", row => row.TokenIds, (row, value) => row.TokenIds = value),
        new ListColumn<float>(
            "token_logprobs", "float32", row => row.TokenLogProbabilities, (row, value) => row.TokenLogProbabilities = value),
        new ListColumn<int>("top_ids", "int32", row => row.TopIds, (row, value) => row.TopIds = value),
        new ListColumn<float>("top_logprobs", "float32", row => row.TopLogProbabilities, (row, value) => row.TopLogProbabilities = value),
        new ValueColumn<DateTime>(
            new DateTimeDataField("created_at", DateTimeFormat.Timestamp, true, DateTimeTimeUnit.Micros, true),
            "timestamp[us, tz=UTC]", row => row.CreatedAt, (row, value) => row.CreatedAt = value),

        // What it takes to rebuild the problem and grade it again.
        Number<int>("level", "int32", row => row.Level, (row, value) => row.Level = value),
        Text("signature", row => row.Signature, (row, value) => row.Signature = value),
        OptionalText("reference_solution", row => row.ReferenceSolution, (row, value) => row.ReferenceSolution = value),
        OptionalText("system", row => row.System, (row, value) => row.System = value),
        OptionalText("choices", row => row.Choices, (row, value) => row.Choices = value),
        Text("problem_verifier", row => row.ProblemVerifier, (row, value) => row.ProblemVerifier = value),
        new TextColumn("preamble", true, true, row => row.Preamble, (row, value) => row.Preamble = value),
    ];

    public static IReadOnlyList<TraceColumn> Graded { get; } =
    [
        .. Raw,
        Text("verdict", row => row.Verdict, (row, value) => row.Verdict = value),
        Text("verifier", row => row.Verifier, (row, value) => row.Verifier = value),
        Number<int>("verifier_version", "int32", row => row.VerifierVersion, (row, value) => row.VerifierVersion = value),
        Number<bool>("keep", "bool", row => row.Keep, (row, value) => row.Keep = value),
        OptionalText("drop_reason", row => row.DropReason, (row, value) => row.DropReason = value),
    ];

    // Parquet.Net's fields take their levels from the schema that holds them, so schemas and columns share them, made once.
    public static ParquetSchema RawSchema { get; } = new(Raw.Select(column => column.Field));

    public static ParquetSchema GradedSchema { get; } = new(Graded.Select(column => column.Field));

    /// <summary>
    /// What is asked and answered, without the columns that hold a number or more per token, which are most of a file: for whoever judges
    /// texts. The traces come out as if their tokens had not been kept.
    /// </summary>
    public static bool IsText(TraceColumn column) => column is not (ListColumn<int> or ListColumn<float>);

    /// <summary>The Hugging Face features of these columns, as a JSON object.</summary>
    public static string Features(IEnumerable<TraceColumn> columns) =>
        "{" + string.Join(",", columns.Select(column => $"\"{column.Name}\":{column.Feature}")) + "}";

    private static TextColumn Text(string name, Func<TraceRow, string> get, Action<TraceRow, string> set) =>
        new(name, false, false, get, (row, value) => set(row, value!));

    private static TextColumn OptionalText(string name, Func<TraceRow, string?> get, Action<TraceRow, string?> set) =>
        new(name, true, false, get, set);

    private static ValueColumn<T> Number<T>(string name, string type, Func<TraceRow, T> get, Action<TraceRow, T> set)
        where T : struct =>
        new(new DataField(name, typeof(T), false), type, row => get(row), (row, value) => set(row, value!.Value));
}
