using Distill.Data.Problems;
using Distill.Data.Traces;
using Distill.Generation;
using Distill.Teacher.Tests.Fixtures;

namespace Distill.Teacher.Tests.Traces;

public sealed class TraceCollectionTests : IDisposable
{
    private static readonly string Model = new('c', 64);

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 0)]
    [InlineData(true, 3)]
    public void A_journal_changes_no_row(bool keepTokens, int alternatives)
    {
        var options = Options(samples: 3) with { KeepTokens = keepTokens, TopLogProbabilities = alternatives };
        var expected = Collect(options, 5).Traces;
        using var journal = Open();
        ShouldBeSame(Collect(options, 5, journal).Traces, expected);
        var (again, generated) = Collect(options, 5, journal);
        ShouldBeSame(again, expected);
        generated.ShouldBe(0);
        using var reopened = Open();
        (again, generated) = Collect(options, 5, reopened);
        ShouldBeSame(again, expected);
        generated.ShouldBe(0);
    }

    [Fact]
    public void More_samples_generate_only_the_new_ones()
    {
        using var journal = Open();
        Collect(Options(samples: 1), 5, journal);
        journal.Count.ShouldBe(5);
        var (traces, generated) = Collect(Options(samples: 4), 5, journal);
        ShouldBeSame(traces, Collect(Options(samples: 4), 5).Traces);
        generated.ShouldBe(traces.Where(trace => trace.SampleIndex > 0).Sum(trace => trace.CompletionTokens));
        journal.Count.ShouldBe(20);
    }

    [Fact]
    public void More_problems_generate_only_the_new_ones()
    {
        using var journal = Open();
        Collect(Options(samples: 2), 3, journal);
        var (traces, generated) = Collect(Options(samples: 2), 7, journal);
        ShouldBeSame(traces, Collect(Options(samples: 2), 7).Traces);
        generated.ShouldBe(traces.Skip(3 * 2).Sum(trace => trace.CompletionTokens));
        journal.Count.ShouldBe(14);
    }

    [Fact]
    public void Other_options_share_nothing_and_lose_nothing()
    {
        using var journal = Open();
        var warm = Options(samples: 2) with { Sampling = new SamplingOptions { Temperature = 0.7 } };
        var first = Collect(warm, 3, journal).Traces;
        Collect(Options(samples: 2), 3, journal).Generated.ShouldBeGreaterThan(0);
        var (again, generated) = Collect(warm, 3, journal);
        ShouldBeSame(again, first);
        generated.ShouldBe(0);
    }

    [Fact]
    public void A_kill_loses_what_was_in_the_slots_and_nothing_else()
    {
        var options = Options(samples: 4) with { ProblemsPerPart = 100 };
        int ended = 0;
        using (var journal = Open())
        {
            Should.Throw<TimeoutException>(() => Collect(options, 10, journal, progress =>
            {
                ended = progress.Traces;
                if (ended >= 11) throw new TimeoutException();
            }));
        }

        using var resumed = Open();
        resumed.Count.ShouldBe(ended);
        var (traces, generated) = Collect(options, 10, resumed);
        ShouldBeSame(traces, Collect(options, 10).Traces);
        generated.ShouldBeLessThan(traces.Sum(trace => trace.CompletionTokens));
        resumed.Count.ShouldBe(40);
    }

    [Fact]
    public void Progress_counts_what_is_known_as_done()
    {
        using var journal = Open();
        Collect(Options(samples: 1), 4, journal);
        var reports = new List<TraceProgress>();
        Collect(Options(samples: 2), 4, journal, reports.Add);
        reports.ShouldAllBe(report => report.TotalTraces == 8 && report.Traces >= 2);
        reports[^1].Traces.ShouldBe(8);
    }

    private static TraceCollectionOptions Options(int samples) => new()
    {
        Seed = 7, Teacher = "scripted", TeacherDigest = Model, Samples = samples, MaxNewTokens = 12, ProblemsPerPart = 2,
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

    private static Problem[] Problems(int count) =>
        [.. Enumerable.Range(0, count).Select(i =>
            new Problem($"p{i}", "test", "test", Split.Train, 1, $"What is {i}?", "a", null, $"s{i}"))];

    private static (List<Trace> Traces, long Generated) Collect(
        TraceCollectionOptions options, int problems, CompletionJournal? journal = null, Action<TraceProgress>? progress = null)
    {
        using var model = Scripted();
        var traces = new List<Trace>();
        long generated = 0;
        new TraceCollection(new BatchGenerator(model, slots: 3), TinyTokenizer.Encoder, options, journal).Run(
            Problems(problems), _ => false, part => traces.AddRange(part.Traces), report =>
            {
                generated = report.TokensGenerated;
                progress?.Invoke(report);
            });
        return (traces, generated);
    }

    private static void ShouldBeSame(IReadOnlyList<Trace> traces, IReadOnlyList<Trace> expected) =>
        traces.Select(Row).ShouldBe(expected.Select(Row));

    // A record compares its lists by reference.
    private static string Row(Trace trace) => System.Text.Json.JsonSerializer.Serialize(trace);

    private CompletionJournal Open() => CompletionJournal.Open(folder.Path, Model);
}
