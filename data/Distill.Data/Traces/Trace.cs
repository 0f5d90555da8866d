using Distill.Data.Problems;
using Distill.Verification;

namespace Distill.Data.Traces;

/// <summary>
/// A completion kept as data (design: one Parquet row). Raw evidence: verdicts are added in curation, so a better verifier
/// never costs a regeneration.
/// </summary>
public sealed record Trace
{
    public required Problem Problem { get; init; }

    /// <summary>The steps between the thinking marks, without the marks; empty when the completion has none.</summary>
    public required string Reasoning { get; init; }

    /// <summary>The text after the thinking, trimmed; null when the completion never got there.</summary>
    public required string? Answer { get; init; }

    public required int PromptTokens { get; init; }

    public required int CompletionTokens { get; init; }

    /// <summary>
    /// <c>stop</c> (end token), <c>stop_string</c> or <c>length</c>; of a remote teacher also its own words, e.g. <c>content_filter</c>.
    /// </summary>
    public required string StopReason { get; init; }

    /// <summary>
    /// Why there is no answer where the teacher or its endpoint would not give one (a refusal, a content filter): the reason as it was
    /// given. Null for an ordinary completion.
    /// </summary>
    public string? Refusal { get; init; }

    /// <summary>
    /// What the teacher read before the question, in this order: a system message, worked examples. Empty where there was nothing; then the
    /// problem's own system message counts.
    /// </summary>
    public IReadOnlyList<TraceMessage> Preamble { get; init; } = [];

    public required int SampleIndex { get; init; }

    public required ulong Seed { get; init; }

    /// <summary>Canonical JSON of the sampling options.</summary>
    public required string Sampling { get; init; }

    /// <summary>Name of the teacher, e.g. its folder's name.</summary>
    public required string Teacher { get; init; }

    public required string TeacherDigest { get; init; }

    /// <summary>Empty for a remote teacher, whose template and tokenizer are not known.</summary>
    public required string TemplateDigest { get; init; }

    /// <inheritdoc cref="TemplateDigest"/>
    public required string TokenizerFingerprint { get; init; }

    /// <summary>Completion token ids, end token included; empty when not kept.</summary>
    public IReadOnlyList<int> TokenIds { get; init; } = [];

    /// <summary>Log-probability of each token under the unprocessed distribution; empty when not kept.</summary>
    public IReadOnlyList<float> TokenLogProbabilities { get; init; } = [];

    /// <summary>The k most probable tokens at each position, flattened [token, k]; empty when not kept.</summary>
    public IReadOnlyList<int> TopIds { get; init; } = [];

    /// <summary>Log-probabilities of <see cref="TopIds"/>, flattened the same way.</summary>
    public IReadOnlyList<float> TopLogProbabilities { get; init; } = [];

    /// <summary>When it was generated; null in reproducible runs, where files must not depend on the clock.</summary>
    public DateTimeOffset? CreatedAt { get; init; }
}

/// <summary>One message of the conversation that a trace is a part of.</summary>
/// <param name="Role"><c>system</c>, <c>user</c> or <c>assistant</c>.</param>
public sealed record TraceMessage(string Role, string Content);

/// <summary>A trace with what the verifier and the curation rules said about it.</summary>
/// <param name="Trace">The evidence, unchanged.</param>
/// <param name="Verdict">What the problem family's verifier said.</param>
/// <param name="Verifier">Its name.</param>
/// <param name="VerifierVersion">Its version.</param>
/// <param name="Keep">Whether training may use the trace.</param>
/// <param name="DropReason">Why not, e.g. <c>truncated</c>; null exactly when it is kept.</param>
public sealed record GradedTrace(Trace Trace, Verdict Verdict, string Verifier, int VerifierVersion, bool Keep, string? DropReason);
