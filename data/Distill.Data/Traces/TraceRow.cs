using System.Text.Encodings.Web;
using System.Text.Json;
using Distill.Data.Problems;
using Distill.Storage;
using Distill.Verification;

namespace Distill.Data.Traces;

/// <summary>One Parquet row in the types of its columns, between a <see cref="Trace"/> and <see cref="TraceColumns"/>.</summary>
internal sealed class TraceRow
{
    public string ProblemId { get; set; } = "";
    public string Source { get; set; } = "";
    public string Domain { get; set; } = "";
    public string Split { get; set; } = "";
    public int Level { get; set; }
    public string Problem { get; set; } = "";
    public string ReferenceAnswer { get; set; } = "";
    public string? ReferenceSolution { get; set; }
    public string Signature { get; set; } = "";
    public string? System { get; set; }

    /// <summary>A JSON array of strings; null when the problem has no options.</summary>
    public string? Choices { get; set; }
    public string ProblemVerifier { get; set; } = "";

    /// <summary>A JSON array of <see cref="TraceMessage"/>; null when nothing stood before the question.</summary>
    public string? Preamble { get; set; }
    public string Reasoning { get; set; } = "";
    public string? Answer { get; set; }
    public int CompletionTokens { get; set; }
    public int PromptTokens { get; set; }
    public string StopReason { get; set; } = "";
    public string? Refusal { get; set; }
    public int SampleIndex { get; set; }
    public ulong Seed { get; set; }
    public string Sampling { get; set; } = "";
    public string Teacher { get; set; } = "";
    public string TeacherDigest { get; set; } = "";
    public string TemplateDigest { get; set; } = "";
    public string TokenizerFingerprint { get; set; } = "";
    public IReadOnlyList<int> TokenIds { get; set; } = [];
    public IReadOnlyList<float> TokenLogProbabilities { get; set; } = [];
    public IReadOnlyList<int> TopIds { get; set; } = [];
    public IReadOnlyList<float> TopLogProbabilities { get; set; } = [];
    public DateTime? CreatedAt { get; set; }
    public string Verdict { get; set; } = "";
    public string Verifier { get; set; } = "";
    public int VerifierVersion { get; set; }
    public bool Keep { get; set; }
    public string? DropReason { get; set; }

    /// <summary>
    /// The conversation a chat trainer reads: what the teacher read before the question, the question, then the completion's text without
    /// its end token.
    /// </summary>
    public IReadOnlyList<TraceMessage> Messages =>
    [
        .. Preamble is not null ? TraceJson.Messages(Preamble) : System is { Length: > 0 } own ? [new TraceMessage("system", own)] : [],
        new("user", Problem),
        new("assistant", Answer is null ? $"<think>{Reasoning}" : $"<think>{Reasoning}</think>{Answer}"),
    ];

    public static TraceRow From(Trace trace, bool keepTokens) => new()
    {
        ProblemId = trace.Problem.Id,
        Source = trace.Problem.Source,
        Domain = trace.Problem.Domain,
        Split = SplitRule.Word(trace.Problem.Split),
        Level = trace.Problem.Level,
        Problem = trace.Problem.Text,
        ReferenceAnswer = trace.Problem.ReferenceAnswer,
        ReferenceSolution = trace.Problem.ReferenceSolution,
        Signature = trace.Problem.Signature,
        System = trace.Problem.System,
        Choices = trace.Problem.Choices.Count == 0 ? null : TraceJson.Write(trace.Problem.Choices),
        ProblemVerifier = trace.Problem.Verifier,
        Preamble = trace.Preamble.Count == 0 ? null : TraceJson.Write(trace.Preamble),
        Reasoning = trace.Reasoning,
        Answer = trace.Answer,
        CompletionTokens = trace.CompletionTokens,
        PromptTokens = trace.PromptTokens,
        StopReason = trace.StopReason,
        Refusal = trace.Refusal,
        SampleIndex = trace.SampleIndex,
        Seed = trace.Seed,
        Sampling = trace.Sampling,
        Teacher = trace.Teacher,
        TeacherDigest = trace.TeacherDigest,
        TemplateDigest = trace.TemplateDigest,
        TokenizerFingerprint = trace.TokenizerFingerprint,
        TokenIds = keepTokens ? trace.TokenIds : [],
        TokenLogProbabilities = keepTokens ? trace.TokenLogProbabilities : [],
        TopIds = keepTokens ? trace.TopIds : [],
        TopLogProbabilities = keepTokens ? trace.TopLogProbabilities : [],
        CreatedAt = trace.CreatedAt?.UtcDateTime,
    };

    public static TraceRow From(GradedTrace graded, bool keepTokens)
    {
        var row = From(graded.Trace, keepTokens);
        row.Verdict = VerdictName.Of(graded.Verdict);
        row.Verifier = graded.Verifier;
        row.VerifierVersion = graded.VerifierVersion;
        row.Keep = graded.Keep;
        row.DropReason = graded.DropReason;
        return row;
    }

    public Trace ToTrace() => new()
    {
        Problem = new Problem(
            ProblemId, Source, Domain, SplitRule.Parse(Split), Level, Problem, ReferenceAnswer, ReferenceSolution, Signature)
        {
            Verifier = ProblemVerifier,
            System = System,
            Choices = Choices is null ? [] : TraceJson.Texts(Choices),
        },
        Preamble = Preamble is null ? [] : TraceJson.Messages(Preamble),
        Reasoning = Reasoning,
        Answer = Answer,
        PromptTokens = PromptTokens,
        CompletionTokens = CompletionTokens,
        StopReason = StopReason,
        Refusal = Refusal,
        SampleIndex = SampleIndex,
        Seed = Seed,
        Sampling = Sampling,
        Teacher = Teacher,
        TeacherDigest = TeacherDigest,
        TemplateDigest = TemplateDigest,
        TokenizerFingerprint = TokenizerFingerprint,
        TokenIds = TokenIds,
        TokenLogProbabilities = TokenLogProbabilities,
        TopIds = TopIds,
        TopLogProbabilities = TopLogProbabilities,
        CreatedAt = CreatedAt is { } time ? new DateTimeOffset(time, TimeSpan.Zero) : null,
    };

    public GradedTrace ToGradedTrace() => new(
        ToTrace(),
        VerdictName.TryParse(Verdict)
            ?? throw new InvalidDataException($"the verdict {Printable.Quote(Verdict)} is none of correct, incorrect, undecidable"),
        Verifier, VerifierVersion, Keep, DropReason);
}

/// <summary>Lists that a column holds as JSON.</summary>
internal static class TraceJson
{
    private const int MaxDepth = 4;

    // Text stays readable: nothing here is put into HTML unescaped.
    private static readonly JsonSerializerOptions Spelling = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        MaxDepth = MaxDepth,
    };

    // The options of a question were written like this before there was anything else to write.
    public static string Write(IReadOnlyList<string> texts) => JsonSerializer.Serialize(texts);

    public static string Write(IReadOnlyList<TraceMessage> messages) => JsonSerializer.Serialize(messages, Spelling);

    /// <exception cref="InvalidDataException">It is no JSON array of strings.</exception>
    public static string[] Texts(string json) => Read<string[]>(json, "'choices' is not a JSON array of strings");

    /// <exception cref="InvalidDataException">It is no JSON array of messages.</exception>
    public static TraceMessage[] Messages(string json) => Read<TraceMessage[]>(json, "'preamble' is not a JSON array of messages");

    private static T Read<T>(string json, string fault)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(json, Spelling) ?? throw new InvalidDataException($"{fault}: it is null");
        }
        catch (JsonException reason)
        {
            throw new InvalidDataException($"{fault}: {reason.Message}", reason);
        }
    }
}
