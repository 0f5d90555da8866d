using CsCheck;
using Distill.Data.Traces;
using Distill.Verification;

namespace Distill.Data.Tests.Traces;

public sealed class TraceFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Written_traces_read_back_equal_in_order_and_in_time()
    {
        var traces = SampleTraces.Many(50);

        var file = TraceFile.Write(folder["t.parquet"], traces);

        var read = TraceFile.Read(folder["t.parquet"]).ToList();
        file.Rows.ShouldBe(50);
        read.Select(TraceDigest.Of).ShouldBe(traces.Select(TraceDigest.Of));
        read.Select(trace => trace.CreatedAt).ShouldBe(traces.Select(trace => trace.CreatedAt));
        read.Select(trace => trace.Problem).ShouldBe(traces.Select(trace => trace.Problem));
    }

    [Fact]
    public void Several_row_groups_read_as_one_sequence()
    {
        var traces = SampleTraces.Many(25);

        TraceFile.Write(folder["t.parquet"], traces, new TraceFileOptions { RowsPerGroup = 4 });

        TraceFile.Read(folder["t.parquet"]).Select(TraceDigest.Of).ShouldBe(traces.Select(TraceDigest.Of));
    }

    [Fact]
    public void A_file_without_traces_is_a_file() =>
        TraceFile.Read(Written([])).ShouldBeEmpty();

    [Fact]
    public void Equal_traces_make_equal_bytes() =>
        TraceFile.Write(folder["a.parquet"], SampleTraces.Many(20)).Sha256
            .ShouldBe(TraceFile.Write(folder["b.parquet"], SampleTraces.Many(20)).Sha256);

    [Fact]
    public void Grades_are_kept_and_the_file_still_reads_as_plain_traces()
    {
        var traces = SampleTraces.Many(3);
        GradedTrace[] graded =
        [
            new(traces[0], Verdict.Correct, "number", 2, true, null),
            new(traces[1], Verdict.Incorrect, "number", 2, false, "wrong"),
            new(traces[2], Verdict.Undecidable, "number", 2, false, "malformed"),
        ];

        TraceFile.Write(folder["g.parquet"], graded);

        var read = TraceFile.ReadGraded(folder["g.parquet"]).ToList();
        read.Select(g => (g.Verdict, g.Verifier, g.VerifierVersion, g.Keep, g.DropReason))
            .ShouldBe(graded.Select(g => (g.Verdict, g.Verifier, g.VerifierVersion, g.Keep, g.DropReason)));
        TraceFile.Read(folder["g.parquet"]).Select(TraceDigest.Of).ShouldBe(traces.Select(TraceDigest.Of));
    }

    [Fact]
    public void Tokens_can_be_left_out()
    {
        TraceFile.Write(folder["t.parquet"], [SampleTraces.One(4)], new TraceFileOptions { KeepTokens = false });

        var read = TraceFile.Read(folder["t.parquet"]).Single();
        read.TokenIds.ShouldBeEmpty();
        read.TokenLogProbabilities.ShouldBeEmpty();
    }

    [Fact]
    public void Any_text_and_any_numbers_survive() =>
        Gen.Select(Gen.String, Gen.String.Null(), Gen.ULong, Gen.Int.Array[0, 9], Gen.Float.Array[0, 9]).Array[0, 12].Sample(
            rows =>
            {
                using var own = new TemporaryFolder();
                var traces = rows.Select((row, i) => SampleTraces.One(i) with
                {
                    Reasoning = Sound(row.Item1)!,
                    Answer = Sound(row.Item2),
                    Seed = row.Item3,
                    TokenIds = row.Item4,
                    TopIds = [.. row.Item4, .. row.Item4],
                    TokenLogProbabilities = row.Item5,
                }).ToList();

                TraceFile.Write(own["t.parquet"], traces, new TraceFileOptions { RowsPerGroup = 5 });

                TraceFile.Read(own["t.parquet"]).Select(TraceDigest.Of).ShouldBe(traces.Select(TraceDigest.Of));
            },
            iter: 60);

    private string Written(IReadOnlyList<Trace> traces)
    {
        TraceFile.Write(folder["t.parquet"], traces);
        return folder["t.parquet"];
    }

    // Lone surrogates are no text and have no UTF-8 form.
    private static string? Sound(string? text) => text is null ? null : string.Concat(text.Where(c => !char.IsSurrogate(c)));
}
