using Distill.Data.Traces;
using Distill.Storage;
using Distill.Verification;

namespace Distill.Data.Curation;

/// <summary>
/// A reason to drop a trace that is seen in the trace itself. Asked once per trace, in any order of traces; keeps nothing between them that
/// the outcome could depend on.
/// </summary>
internal interface ITraceRule
{
    /// <returns>Why the trace must not be trained on, as one word for files and reports; null when this rule has no objection.</returns>
    string? DropReason(Trace trace, Verdict verdict);
}

/// <summary>
/// A reason that is seen only beside other traces of the same question. Asked for those that no <see cref="ITraceRule"/> objects to,
/// question by question, the traces of one in the order of <see cref="TraceSelection"/>.
/// </summary>
internal interface IQuestionRule
{
    /// <summary>The traces of another question follow.</summary>
    void Begin(QuestionTally question);

    /// <inheritdoc cref="ITraceRule.DropReason"/>
    string? DropReason(in TraceKey trace);

    /// <summary>No rule objected: the trace is kept.</summary>
    void Kept(in TraceKey trace);
}

/// <summary>Every rule by the word for it, in the order they are asked: the first objection is the reason that counts.</summary>
internal static class CurationRules
{
    /// <summary>The word for the balance of domains, which comes after all rules because it needs to know what they left.</summary>
    public const string Mixture = "mixture";

    private static readonly IReadOnlyList<(string Name, Func<CurationOptions, CurationEvidence, ITraceRule?> Create)> OfTraces =
    [
        ("truncated", (_, _) => new TruncatedRule()),
        ("refused", (_, _) => new RefusedRule()),
        ("malformed", (_, _) => new MalformedRule()),
        ("unreadable_reference", (_, evidence) => new UnreadableReferenceRule(evidence.Verifiers)),
        ("verdict", (_, _) => new VerdictRule()),
        ("length", (options, _) => LengthRule.Of(options)),
        ("language", (options, _) => LanguageRule.Of(options)),
        ("format", (options, _) => options.RequireBoxed ? new BoxedRule() : null),
        ("repetition", (options, _) => RepetitionRule.Of(options)),
        ("contamination", (_, evidence) => evidence.TestProblems is { } tests ? new ContaminationRule(tests) : null),
        ("learnability", (options, evidence) => evidence.Learnability is { } scores ? new LearnabilityRule(scores, options) : null),
    ];

    private static readonly IReadOnlyList<(string Name, Func<CurationOptions, IQuestionRule?> Create)> OfQuestions =
    [
        ("pass_rate", PassRateRule.Of),
        ("duplicate", _ => new DuplicateRule()),
        ("near_duplicate", options => options.NearDuplicates > 0 ? new NearDuplicateRule(options.NearDuplicates) : null),
        ("per_problem_limit", options => new PerProblemLimitRule(options.MaxPerProblem)),
    ];

    /// <summary>In the order they are asked.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [.. OfTraces.Select(rule => rule.Name), .. OfQuestions.Select(rule => rule.Name), Mixture];

    /// <summary>Fresh rules for one run.</summary>
    public static IReadOnlyList<ITraceRule> TraceRules(CurationOptions options, CurationEvidence evidence) =>
        [.. OfTraces.Where(rule => options.Rules.Contains(rule.Name)).Select(rule => rule.Create(options, evidence)).OfType<ITraceRule>()];

    /// <inheritdoc cref="TraceRules"/>
    public static IReadOnlyList<IQuestionRule> QuestionRules(CurationOptions options) =>
        [.. OfQuestions.Where(rule => options.Rules.Contains(rule.Name)).Select(rule => rule.Create(options)).OfType<IQuestionRule>()];

    /// <exception cref="ArgumentException">The options name an unknown rule.</exception>
    public static void Require(CurationOptions options)
    {
        var unknown = options.Rules.Except(Names, StringComparer.Ordinal).ToList();
        if (unknown.Count == 0) return;
        throw new ArgumentException(
            $"Unknown curation rules: {string.Join(", ", unknown.Select(Printable.Quote))}; there are {string.Join(", ", Names)}.",
            nameof(options));
    }
}
