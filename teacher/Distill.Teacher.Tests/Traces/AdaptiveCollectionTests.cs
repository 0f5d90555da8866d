using Distill.Data.Problems;
using Distill.Data.Traces;
using Distill.Generation;
using Distill.Teacher.Tests.Fixtures;

namespace Distill.Teacher.Tests.Traces;

/// <summary>Verdicts and budgets decide what is asked; seeds decide the rest, whatever the parts, slots and interruptions.</summary>
public sealed class AdaptiveCollectionTests : IDisposable
{
    private static readonly string Model = new('c', 64);

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_rows_are_the_first_of_those_that_a_collection_of_all_samples_has()
    {
        var all = Collect(Options()).Traces;
        var adaptive = Options() with { Policy = Policy(accepted: 2, giveUp: 4) };
        var some = Collect(adaptive).Traces;
        some.Count.ShouldBeLessThan(all.Count);
        foreach (var problem in all.GroupBy(trace => trace.Problem.Id))
        {
            var rows = some.Where(trace => trace.Problem.Id == problem.Key).ToList();
            rows.Select(Row).ShouldBe(problem.Take(rows.Count).Select(Row));
            int right = rows.Count(IsRight);
            (right == 2 || (right == 0 && rows.Count == 4) || rows.Count == 6).ShouldBeTrue($"{right} of {rows.Count}");
            if (right == 2) IsRight(rows[^1]).ShouldBeTrue();
        }

        some.GroupBy(trace => trace.Problem.Id).Select(group => group.Count()).Distinct().Count().ShouldBeGreaterThan(1);
    }

    [Theory]
    [InlineData(1, 5)]
    [InlineData(7, 100)]
    public void Slots_and_parts_change_no_row(int slots, int problemsPerPart)
    {
        var options = Options() with { Policy = Policy(accepted: 1, giveUp: 3) };
        Collect(options with { ProblemsPerPart = problemsPerPart }, slots: slots).Traces.Select(Row).ShouldBe(
            Collect(options).Traces.Select(Row));
    }

    [Theory]
    [InlineData(false, null)]
    [InlineData(true, null)]
    [InlineData(true, 700L)]
    public void A_kill_at_any_completion_leads_to_the_same_rows_and_nothing_is_generated_twice(bool balanced, long? tokens)
    {
        var options = Options() with
        {
            Policy = Policy(accepted: 2, giveUp: 4) with { IsBalanced = balanced },
            Budget = new SampleBudget(tokens, null),
            ProblemsPerPart = 100,
        };
        var expected = Collect(options);
        for (int kill = 1; kill < 40; kill += 7)
        {
            using var journal = Open();
            int ended = 0;
            try
            {
                Collect(options, journal, progress: _ => { if (++ended > kill) throw new TimeoutException(); });
            }
            catch (TimeoutException)
            {
                // As a kill would.
            }
        }

        using var last = Open();
        int known = last.Count;
        var (traces, rest) = Collect(options, last);
        traces.Select(Row).ShouldBe(expected.Traces.Select(Row));
        rest.ShouldBeLessThan(expected.Generated);
        last.Count.ShouldBe(traces.Count);
        known.ShouldBeGreaterThan(0);
    }

    [Theory]
    [InlineData(13)]
    [InlineData(200)]
    [InlineData(600)]
    public void A_budget_of_tokens_is_kept_and_a_larger_one_goes_on(int tokens)
    {
        var options = Options() with { Budget = new SampleBudget(tokens, null) };
        using var journal = Open();
        var (traces, generated) = Collect(options, journal);
        traces.Sum(trace => trace.CompletionTokens).ShouldBeLessThanOrEqualTo(tokens);
        if (tokens >= 200) traces.Count.ShouldBeGreaterThan(5);
        Collect(options).Traces.Select(Row).ShouldBe(traces.Select(Row));
        var (more, rest) = Collect(Options(), journal);
        more.Select(Row).ShouldBe(Collect(Options()).Traces.Select(Row));
        rest.ShouldBe(more.Sum(trace => trace.CompletionTokens) - generated);
    }

    [Fact]
    public void A_deadline_ends_a_part_with_what_there_is_and_a_cancellation_without()
    {
        var options = Options() with { ProblemsPerPart = 100 };
        var all = Collect(options).Traces.Select(Row).ToHashSet();
        using var deadline = new CancellationTokenSource();
        using var model = Scripted();
        var collection = new TraceCollection(new BatchGenerator(model, slots: 3), TinyTokenizer.Encoder, options);
        var part = collection.Generate(
            Problems(), 0, SampleBudget.None, progress => { if (progress.Completions >= 9) deadline.Cancel(); }, deadline.Token,
            CancellationToken.None);
        part.Traces.Count.ShouldBeInRange(9, 20);
        part.Traces.ShouldAllBe(trace => all.Contains(Row(trace)));
        using var stop = new CancellationTokenSource();
        Should.Throw<OperationCanceledException>(() => collection.Generate(Problems(), 0, _ => stop.Cancel(), stop.Token));
    }

    [Fact]
    public void Progress_ends_at_all_that_could_be_asked()
    {
        var reports = new List<TraceProgress>();
        Collect(Options() with { Policy = Policy(accepted: 1, giveUp: 2) }, progress: reports.Add);
        reports.Select(report => report.Traces).ShouldBe(reports.Select(report => report.Traces).Order());
        reports.ShouldAllBe(report => report.TotalTraces == 12 * 6);
        reports[^1].Traces.ShouldBe(12 * 6);
    }

    private static SamplingPolicy Policy(int accepted, int giveUp) => new() { Samples = 6, Accepted = accepted, GiveUpAfter = giveUp };

    private static bool IsRight(Trace trace) => trace.Answer is { Length: > 0 } answer && answer[0] is 'a' or 'b' or 'c';

    private static TraceCollectionOptions Options() => new()
    {
        Seed = 7, Teacher = "scripted", TeacherDigest = Model, Samples = 6, MaxNewTokens = 12, ProblemsPerPart = 4, IsRight = IsRight,
    };

    // The letters a to g and the end token, by a hash of the sequence.
    private static ScriptedTokenModel Scripted() => new(TinyTokenizer.Tokenizer.VocabularySize, 200, (sequence, logits) =>
    {
        ulong hash = 17;
        foreach (int token in sequence) hash = SeedSequence.Derive(hash, (ulong)token, 0);
        logits.Fill(float.NegativeInfinity);
        foreach (int token in (int[])[.. TinyTokenizer.Tokens("abcdefg"), TinyTokenizer.Encoder.EndToken])
            logits[token] = SeedSequence.Derive(hash, (ulong)token, 1) % 1000 / 400f;
    });

    private static Problem[] Problems() =>
        [.. Enumerable.Range(0, 12).Select(i =>
            new Problem($"p{i}", "test", "test", Split.Train, 1, $"What is {i}?", "a", null, $"s{i}"))];

    private static (List<Trace> Traces, long Generated) Collect(
        TraceCollectionOptions options, CompletionJournal? journal = null, int slots = 3, Action<TraceProgress>? progress = null)
    {
        using var model = Scripted();
        var traces = new List<Trace>();
        long generated = 0;
        new TraceCollection(new BatchGenerator(model, slots: slots), TinyTokenizer.Encoder, options, journal).Run(
            Problems(), _ => false, part => traces.AddRange(part.Traces), report =>
            {
                generated = report.TokensGenerated;
                progress?.Invoke(report);
            });
        return (traces, generated);
    }

    // A record compares its lists by reference.
    private static string Row(Trace trace) => System.Text.Json.JsonSerializer.Serialize(trace);

    private CompletionJournal Open() => CompletionJournal.Open(folder.Path, Model);
}
