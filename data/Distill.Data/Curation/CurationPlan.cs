using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Distill.Data.Problems;
using Distill.Data.Similarity;
using Distill.Data.Traces;
using Distill.Storage;
using Distill.Verification;

namespace Distill.Data.Curation;

/// <summary>
/// Curation in two passes over the traces, so that none of them has to stay in memory: the first sees each once and remembers a small
/// key, then all is decided, and the second gets each trace's grade by its place. The decisions depend on the set of traces only; the
/// second pass must deliver the same traces in the same order as the first. One thread at a time.
/// </summary>
internal sealed class CurationPlan
{
    private readonly ProblemVerifiers verifiers;
    private readonly CurationOptions options;
    private readonly IReadOnlyList<ITraceRule> traceRules;
    private readonly bool sketches;
    private readonly TraceKeys keys = new();
    private readonly NameNumbers problems = new(), domains = new(), reasons = new();
    private readonly Dictionary<UInt128, int> questions = [];
    private (string? Text, int Number) lastQuestion;

    /// <exception cref="ArgumentException">The options name an unknown rule.</exception>
    public CurationPlan(ProblemVerifiers verifiers, CurationOptions options, CurationEvidence? evidence = null)
    {
        CurationRules.Require(options);
        (this.verifiers, this.options) = (verifiers, options);
        traceRules = CurationRules.TraceRules(options, (evidence ?? CurationEvidence.None) with { Verifiers = verifiers });
        sketches = options.NearDuplicates > 0 || options.Select == TraceSelection.Diverse;
        reasons.Of(""); // 0 is no reason
    }

    /// <summary>Traces seen.</summary>
    public int Count => keys.Count;

    /// <summary>The first pass: one trace after another, in any order.</summary>
    /// <exception cref="InvalidDataException">The trace's problem names a verifier that does not exist.</exception>
    public void Survey(Trace trace)
    {
        var verdict = verifiers.Of(trace.Problem).Verify(trace.Answer, trace.Problem);
        string? reason = null;
        for (int i = 0; i < traceRules.Count && reason is null; i++) reason = traceRules[i].DropReason(trace, verdict);
        keys.Add(new TraceKey
        {
            Digest = TraceDigest.Short(trace),
            Content = ContentOf(trace),
            Seed = trace.Seed,
            Problem = problems.Of(trace.Problem.Id),
            Question = QuestionOf(trace.Problem.Text),
            Sample = trace.SampleIndex,
            Tokens = trace.CompletionTokens,
            Verdict = verdict,
            Reason = NumberOf(reason),
            Domain = domains.Of(trace.Problem.Domain),
            Sketch = sketches && reason is null ? MinHash.Of(trace.Reasoning + "\n" + trace.Answer) : null,
        });
    }

    /// <summary>Between the passes.</summary>
    public CurationSummary Decide()
    {
        int[] order = Order();
        var rules = CurationRules.QuestionRules(options);
        foreach (var question in ByQuestion(order)) Decide(question, rules);
        if (options.Mixture.Count > 0 && options.Rules.Contains(CurationRules.Mixture)) Mix(order);
        return CurationSummary.Of(order, place => reasons.Names[keys[place].Reason]);
    }

    /// <summary>The second pass: the grade of the trace that came as this one of the first.</summary>
    /// <param name="place">From 0.</param>
    /// <exception cref="InvalidOperationException">It is another trace than the first pass saw there.</exception>
    public GradedTrace Grade(int place, Trace trace)
    {
        ref readonly var key = ref keys[place];
        if (key.Sample != trace.SampleIndex || problems.Names[key.Problem] != trace.Problem.Id)
            throw new InvalidOperationException(
                $"The second pass delivers another trace at place {place} than the first: "
                + $"sample {trace.SampleIndex} of {Printable.Quote(trace.Problem.Id)}.");
        var verifier = verifiers.Of(trace.Problem);
        return new GradedTrace(
            trace, key.Verdict, verifier.Name, verifier.Version, key.Reason == 0, key.Reason == 0 ? null : reasons.Names[key.Reason]);
    }

    /// <summary>Places by problem id, sample and seed: an order that does not depend on the delivery.</summary>
    public int[] Order()
    {
        int[] ranks = new int[problems.Names.Count];
        int next = 0;
        foreach (int number in Enumerable.Range(0, ranks.Length).OrderBy(number => problems.Names[number], StringComparer.Ordinal))
            ranks[number] = next++;
        int[] order = [.. Enumerable.Range(0, keys.Count)];
        Array.Sort(order, (one, other) => Compare(in keys[one], in keys[other]));
        return order;

        int Compare(in TraceKey one, in TraceKey other)
        {
            int result = ranks[one.Problem].CompareTo(ranks[other.Problem]);
            if (result == 0) result = one.Sample.CompareTo(other.Sample);
            if (result == 0) result = one.Seed.CompareTo(other.Seed);
            return result == 0 ? one.Digest.CompareTo(other.Digest) : result;
        }
    }

    private IEnumerable<List<int>> ByQuestion(int[] order)
    {
        var byQuestion = new List<int>[questions.Count];
        foreach (int place in order) (byQuestion[keys[place].Question] ??= []).Add(place);
        return byQuestion;
    }

    private void Decide(List<int> places, IReadOnlyList<IQuestionRule> rules)
    {
        var tally = new QuestionTally(places.Count, places.Count(place => keys[place].Verdict == Verdict.Correct));
        foreach (var rule in rules) rule.Begin(tally);
        places.RemoveAll(place => keys[place].Reason != 0);
        SelectionOrder.Apply(options.Select, keys, places);
        foreach (int place in places)
        {
            ref var key = ref keys[place];
            string? reason = null;
            for (int i = 0; i < rules.Count && reason is null; i++) reason = rules[i].DropReason(in key);
            key.Reason = NumberOf(reason);
            if (reason is not null) continue;
            foreach (var rule in rules) rule.Kept(in key);
        }
    }

    private void Mix(int[] order)
    {
        var kept = order.Where(place => keys[place].Reason == 0)
            .GroupBy(place => domains.Names[keys[place].Domain])
            .ToDictionary(domain => domain.Key, domain => domain.Select(place => (keys[place].Digest, place)).ToList());
        foreach (int place in DomainMixture.Surplus(kept, options.Mixture, options.Seed))
            keys[place].Reason = NumberOf(CurationRules.Mixture);
    }

    private byte NumberOf(string? reason) => reason is null ? (byte)0 : checked((byte)reasons.Of(reason));

    private int QuestionOf(string text)
    {
        if (text == lastQuestion.Text) return lastQuestion.Number;
        var hash = Hash(text, "");
        if (!questions.TryGetValue(hash, out int number)) questions[hash] = number = questions.Count;
        lastQuestion = (text, number);
        return number;
    }

    private static UInt128 ContentOf(Trace trace) =>
        Hash(trace.Reasoning.AsSpan().Trim(), trace.Answer is null ? "\0" : trace.Answer.AsSpan().Trim());

    private static UInt128 Hash(ReadOnlySpan<char> first, ReadOnlySpan<char> second)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        int length = first.Length;
        hash.AppendData(MemoryMarshal.AsBytes(MemoryMarshal.CreateReadOnlySpan(ref length, 1)));
        hash.AppendData(MemoryMarshal.AsBytes(first));
        hash.AppendData(MemoryMarshal.AsBytes(second));
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(digest);
        return MemoryMarshal.Read<UInt128>(digest);
    }
}
