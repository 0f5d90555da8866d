using System.Text.Json;

namespace Distill.Verification.Named;

/// <summary>
/// The reference answer is JSON. An answer is right when it is JSON with the fields that the reference names and their values, and fits
/// the schema where there is one. Fields that the reference does not name may be there; numbers are equal by value; lists have an order.
/// The JSON is the whole text, or its last fenced block, or the marked answer.
/// </summary>
internal sealed class JsonVerifier : IVerifier
{
    private const string Fence = "```";

    private readonly JsonSchema? schema;

    /// <param name="schema">A JSON schema in the part of the language that <see cref="JsonSchema"/> reads; null: none.</param>
    /// <exception cref="ArgumentException">It is not JSON, or uses a keyword that is not read.</exception>
    public JsonVerifier(string? schema = null) => this.schema = schema is null ? null : JsonSchema.Parse(schema);

    public string Name => "json";

    public int Version => AnswerExtraction.Version;

    public Verdict Verify(string? answer, IVerifiable problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        if (Read(answer) is not { } given || Gold(problem) is not { } gold) return Verdict.Undecidable;
        return JsonValues.Includes(given, gold) && schema?.FaultOf(given) is null ? Verdict.Correct : Verdict.Incorrect;
    }

    public string? ClassOf(string? answer, IVerifiable problem) => Read(answer) is { } given ? JsonValues.Canonical(given) : null;

    public string? FaultOf(IVerifiable problem)
    {
        if (Gold(problem) is not { } gold) return "the reference answer is not JSON, is too long or too deep, or repeats a field";
        return schema?.FaultOf(gold) is { } fault ? $"the reference answer does not fit the schema: {fault}" : null;
    }

    private static JsonElement? Gold(IVerifiable problem) => JsonValues.TryParse(problem.ReferenceAnswer);

    private static JsonElement? Read(string? answer)
    {
        if (answer is null || AnswerExtraction.Body(answer) is not { } body) return null;
        return JsonValues.TryParse(body)
            ?? (LastFenced(body) is { } fenced ? JsonValues.TryParse(fenced) : null)
            ?? (AnswerExtraction.Strict(body) is { } marked ? JsonValues.TryParse(marked) : null);
    }

    private static string? LastFenced(string body)
    {
        int close = body.LastIndexOf(Fence, StringComparison.Ordinal);
        int open = close <= 0 ? -1 : body.LastIndexOf(Fence, close - 1, StringComparison.Ordinal);
        if (open < 0) return null;
        string block = body[(open + Fence.Length)..close];
        return block.StartsWith("json", StringComparison.OrdinalIgnoreCase) ? block["json".Length..] : block;
    }
}
