using CsCheck;
using Distill.Data.Traces;
using Distill.Storage;
using Distill.Verification;

namespace Distill.Data.Tests.Traces;

public sealed class DamagedTraceFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly byte[] sound;

    public DamagedTraceFileTests()
    {
        TraceFile.Write(folder["sound.parquet"], SampleTraces.Many(40), new TraceFileOptions { RowsPerGroup = 16 });
        sound = File.ReadAllBytes(folder["sound.parquet"]);
    }

    private string Path => folder["damaged.parquet"];

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_missing_file_is_named() =>
        Should.Throw<IOException>(() => TraceFile.Read(folder["absent.parquet"]).ToList()).Message.ShouldContain("absent.parquet");

    [Fact]
    public void A_file_of_something_else_is_named()
    {
        File.WriteAllText(Path, "problem_id,problem\n1,2\n");

        Should.Throw<InvalidDataException>(() => TraceFile.Read(Path).ToList()).Message
            .ShouldStartWith($"Cannot read traces from '{Path}': ");
    }

    [Fact]
    public void An_ungraded_file_is_not_taken_for_a_graded_one() =>
        Should.Throw<InvalidDataException>(() => TraceFile.ReadGraded(folder["sound.parquet"]).ToList()).Message
            .ShouldContain("'verdict' is missing");

    [Fact]
    public void A_file_cut_short_anywhere_is_refused()
    {
        for (int length = 0; length < sound.Length; length += Math.Max(1, sound.Length / 80))
        {
            File.WriteAllBytes(Path, sound[..length]);
            Should.Throw<InvalidDataException>(() => TraceFile.Read(Path).ToList(), $"{length} of {sound.Length} bytes");
        }
    }

    /// <summary>
    /// Every seventh byte with its lowest or highest bit turned, in a file small enough for all of its parts to be hit: schema, page heads,
    /// levels, compressed values, footer. It reads, or is refused by name; nothing else comes out, and it ends.
    /// </summary>
    [Fact]
    public void Every_seventh_byte_turned_is_refused_by_name_or_read()
    {
        var graded = SampleTraces.Many(6).Select(trace => new GradedTrace(trace, Verdict.Correct, "number", 1, true, null));
        TraceFile.Write(folder["small.parquet"], graded);
        var whole = File.ReadAllBytes(folder["small.parquet"]);
        int refused = 0;
        for (int at = 0; at < whole.Length; at += 7)
        {
            File.WriteAllBytes(Path, Turned(whole, at));
            try
            {
                TraceFile.ReadGraded(Path).Count().ShouldBeLessThan(1000);
            }
            catch (InvalidDataException fault)
            {
                fault.Message.ShouldStartWith($"Cannot read traces from '{Path}': ");
                refused++;
            }
        }

        refused.ShouldBeGreaterThan(whole.Length / 7 / 4);
    }

    /// <summary>What the pages themselves cannot tell, the artefact they are read from does: other rows are never read.</summary>
    [Fact]
    public void In_an_artefact_every_turned_byte_is_refused_before_rows_are_read()
    {
        var writer = new ArtifactWriter(folder["artefact"], "test", 1, [new string('e', 64)]);
        TraceFile.Write(writer, "traces.parquet", SampleTraces.Many(6));
        writer.Commit();
        var path = folder.File("artefact/traces.parquet");
        var whole = File.ReadAllBytes(path);
        for (int at = 0; at < whole.Length; at += 7)
        {
            File.WriteAllBytes(path, Turned(whole, at));

            Should.Throw<InvalidDataException>(() => Artifact.Open(folder["artefact"]).PathOf("traces.parquet"), $"byte {at}")
                .Message.ShouldContain("traces.parquet");
        }
    }

    // Parquet pages have no checksum, so a flip may go unseen here; the artefact's digest is what detects it. What must never
    // happen is any other exception, or memory without bound.
    [Fact]
    public void Damage_is_refused_by_name_or_unseen_and_nothing_else() =>
        Gen.Select(Gen.Int[0, sound.Length - 1], Gen.Byte).Array[1, 3].Sample(
            flips =>
            {
                byte[] damaged = [.. sound];
                foreach (var (at, mask) in flips) damaged[at] ^= mask;
                File.WriteAllBytes(Path, damaged);
                try
                {
                    TraceFile.Read(Path).Count().ShouldBeLessThan(100_000);
                }
                catch (InvalidDataException fault)
                {
                    fault.Message.ShouldContain(Path);
                }
            },
            iter: 100,
            threads: 1);

    private static byte[] Turned(byte[] whole, int at)
    {
        byte[] damaged = [.. whole];
        damaged[at] ^= at % 2 == 0 ? (byte)0x01 : (byte)0x80;
        return damaged;
    }
}
