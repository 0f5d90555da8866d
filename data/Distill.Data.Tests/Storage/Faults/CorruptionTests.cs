using CsCheck;
using Distill.Storage;

namespace Distill.Data.Tests.Storage.Faults;

/// <summary>A bit turned in a finished artefact of traces, or in the log of an unfinished one, is found before a row is used.</summary>
public sealed class CorruptionTests
{
    private const int Flips = 1000, Rows = 24, RowsPerPart = 12;

    [Fact]
    public void A_thousand_turned_bits_are_all_found()
    {
        using var folder = new TemporaryFolder();
        ShardScenario.Run(folder["traces"], Rows, RowsPerPart);
        File.Delete(folder["traces/.work.jsonl"]); // what a stage removes when it is finished
        string[] files = Directory.GetFiles(folder["traces"], "*", SearchOption.AllDirectories);
        files.Length.ShouldBe(4); // two parts, the card, the manifest
        long total = files.Sum(file => new FileInfo(file).Length);
        var random = new Random(7);
        for (int i = 0; i < Flips; i++)
        {
            long at = random.NextInt64(total);
            string file = files.First(candidate => (at -= new FileInfo(candidate).Length) < 0);
            byte[] whole = File.ReadAllBytes(file);
            Flip(file, whole, (int)random.NextInt64(whole.Length * 8L));
            Rows_are_refused(folder["traces"], file);
            File.WriteAllBytes(file, whole);
        }

        ShardScenario.RequireWhole(Artifact.Open(folder["traces"]), Rows, RowsPerPart);
    }

    /// <summary>A damaged line vouches for nothing: its part is made again, and nothing wrong comes in.</summary>
    [Fact]
    public void A_turned_bit_or_a_lost_end_of_the_log_costs_parts_and_nothing_else()
    {
        using var folder = new TemporaryFolder();
        string digest = ShardScenario.Run(folder["whole"], Rows, RowsPerPart).Digest;
        byte[] log = File.ReadAllBytes(folder["whole/.work.jsonl"]);
        Gen.Select(Gen.Int[0, (log.Length * 8) - 1], Gen.Int[0, log.Length], Gen.Bool).Sample(
            (bit, length, isFlip) =>
            {
                using var own = new TemporaryFolder();
                foreach (string part in Directory.GetFiles(folder["whole/data"]))
                    File.Copy(part, own.File($"traces/data/{Path.GetFileName(part)}", ""), overwrite: true);
                if (isFlip) Flip(own["traces/.work.jsonl"], log, bit);
                else File.WriteAllBytes(own["traces/.work.jsonl"], log[..length]);
                ShardScenario.Run(own["traces"], Rows, RowsPerPart).Digest.ShouldBe(digest);
            },
            iter: 60, threads: 1);
    }

    private static void Rows_are_refused(string folder, string file)
    {
        var fault = Should.Throw<InvalidDataException>(
            () =>
            {
                var artifact = Artifact.Open(folder);
                foreach (var entry in artifact.Manifest.Files) artifact.PathOf(entry.Path);
            },
            file);
        fault.Message.ShouldContain(Path.GetFileName(file));
    }

    private static void Flip(string file, byte[] whole, int bit)
    {
        byte[] damaged = [.. whole];
        damaged[bit / 8] ^= (byte)(1 << (bit % 8));
        File.WriteAllBytes(file, damaged);
    }
}
