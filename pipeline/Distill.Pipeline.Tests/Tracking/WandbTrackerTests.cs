using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.Testing;
using Distill.Pipeline.Tracking;
using Microsoft.Extensions.Time.Testing;

namespace Distill.Pipeline.Tests.Tracking;

/// <summary>
/// The folder that <c>wandb sync</c> uploads, read back by a reader of its own: LevelDB's framing with the checksum of zip files, and the
/// fields of wandb_internal.proto.
/// </summary>
public sealed class WandbTrackerTests : IDisposable
{
    private const int Block = 32 << 10;

    private readonly TemporaryFolder folder = SampleRecipe.Folder();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(Block - 14)] // fills the first block to its end: seven bytes of heading, seven of framing
    [InlineData(Block - 15)]
    [InlineData(Block - 20)] // leaves six bytes, which are padding
    [InlineData(Block - 21)] // leaves seven bytes: a first part without data
    [InlineData(Block)]
    [InlineData((3 * Block) + 5)]
    public void Records_of_every_length_come_back_whole(int length)
    {
        byte[][] written = [Filled(length, 1), Filled(100, 2), Filled(length, 3)];
        string file = folder.File("log.wandb");
        using (var log = new WandbLog(file))
        {
            foreach (byte[] record in written) log.Add(record);
        }

        Read(file).Select(Convert.ToHexString).ShouldBe(written.Select(Convert.ToHexString));
        Should.Throw<IOException>(() => new WandbLog(file)); // nothing is written over
    }

    [Fact]
    public void A_run_is_there_with_its_values_steps_by_stage_and_its_end()
    {
        var run = SampleTracked.Run(folder);
        Track(run).ShouldBe(SampleTracked.Points);
        var records = Read(LogOf(run)).Select(Fields).ToList();
        records.Select(record => record[1].Single().Number).ShouldBe(Enumerable.Range(1, records.Count).Select(number => (ulong)number));
        var described = Fields(records.Single(record => record.Contains(17))[17].Single().Bytes);
        Text(described[3]).ShouldBe("mine");
        Text(described[8]).ShouldBe("sample");
        Text(described[1]).Length.ShouldBe(8);
        Items(described[4].Single().Bytes)["sft.learning_rate"].ShouldBe("0.01");
        var history = records.Where(record => record.Contains(2)).Select(record => Items(record[2].Single().Bytes)).ToList();
        history.Count.ShouldBe(SampleTracked.Points);
        history.Select(items => items["_step"]).ShouldBe(["0", "1", "2", "3", "4"]);
        history[1]["sft/loss"].ShouldBe("0.5");
        history[1]["sft/step"].ShouldBe("2");
        history[4]["rl/reward"].ShouldBe("0.25");
        records.Count(record => record.Contains(12)).ShouldBe(4); // each stage's own steps, twice two records
        var exit = Fields(records[^1][18].Single().Bytes);
        exit[1].Single().Number.ShouldBe(0UL);
        Items(records[^2][3].Single().Bytes)["artefact/sft"].ShouldBe("\"abc\"");
        foreach (string value in history.SelectMany(items => items.Values)) JsonDocument.Parse(value).Dispose();
    }

    [Fact]
    public void A_continued_run_is_one_file_with_all_of_it_and_goes_with_its_run()
    {
        var run = SampleTracked.Run(folder, RunProgress.Failed);
        Track(run);
        string first = LogOf(run);
        Fields(Fields(Read(first)[^1])[18].Single().Bytes)[1].Single().Number.ShouldBe(1UL);
        File.WriteAllText(first + ".synced", "");
        using (var metrics = new RunMetrics(run.MetricsPath, TimeProvider.System))
            metrics.Add("rl", 2, new Dictionary<string, double> { ["reward"] = 0.5 });
        Track(run).ShouldBe(SampleTracked.Points + 1);
        LogOf(run).ShouldBe(first);
        File.Exists(first + ".synced").ShouldBeFalse();
        Read(first).Count(record => Fields(record).Contains(2)).ShouldBe(SampleTracked.Points + 1);
        run.WriteRecipe(SampleTracked.Recipe(folder));
        run.Remove().ShouldBeEmpty();
    }

    [Fact]
    public void One_that_was_made_known_before_its_first_measurement_keeps_its_folder()
    {
        var run = SampleTracked.Run(folder, RunProgress.Stopped);
        File.Delete(run.MetricsPath);
        Track(run).ShouldBe(0);
        string first = LogOf(run);
        using (var metrics = new RunMetrics(run.MetricsPath, new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(50))))
            metrics.Add("sft", 1, new Dictionary<string, double> { ["loss"] = 0.5 });
        Track(run).ShouldBe(1);
        LogOf(run).ShouldBe(first);
    }

    private static byte[] Filled(int length, byte value) => [.. Enumerable.Repeat(value, length)];

    private static string LogOf(RunFolder run) =>
        Directory.EnumerateFiles(Path.Combine(run.Path, "wandb"), "run-*.wandb", SearchOption.AllDirectories).ShouldHaveSingleItem();

    private int Track(RunFolder run)
    {
        var recipe = SampleTracked.Recipe(folder, "tracking: { wandb: true, project: mine }");
        return RunTracking.Track(recipe, run, TrackerChoice.Of(recipe, _ => null), TimeProvider.System).Values.Single();
    }

    private static List<byte[]> Read(string file)
    {
        byte[] bytes = File.ReadAllBytes(file);
        bytes[..7].ShouldBe([(byte)':', (byte)'W', (byte)'&', (byte)'B', 0xE1, 0xBE, 0]);
        var records = new List<byte[]>();
        List<byte>? open = null;
        for (int at = 7; at < bytes.Length;)
        {
            int room = Block - (at % Block);
            if (room < 7)
            {
                bytes.AsSpan(at, room).ToArray().ShouldAllBe(padding => padding == 0);
                at += room;
                continue;
            }

            uint sum = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at));
            int length = BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(at + 4));
            byte kind = bytes[at + 6];
            (length + 7).ShouldBeLessThanOrEqualTo(room);
            byte[] data = bytes[(at + 7)..(at + 7 + length)];
            Checksum([kind, .. data]).ShouldBe(sum);
            (open is null).ShouldBe(kind is 1 or 2);
            open = [.. open ?? [], .. data];
            if (kind is 1 or 4)
            {
                records.Add([.. open]);
                open = null;
            }

            at += 7 + length;
        }

        open.ShouldBeNull();
        return records;
    }

    // A gzip file ends with the CRC-32 of what it holds.
    private static uint Checksum(byte[] data)
    {
        using var memory = new MemoryStream();
        using (var zip = new GZipStream(memory, CompressionLevel.Fastest, leaveOpen: true)) zip.Write(data);
        return BinaryPrimitives.ReadUInt32LittleEndian(memory.ToArray().AsSpan(^8));
    }

    private readonly record struct Field(ulong Number, byte[] Bytes);

    private static ILookup<int, Field> Fields(byte[] message)
    {
        var fields = new List<(int Id, Field Field)>();
        for (int at = 0; at < message.Length;)
        {
            ulong tag = Varint(message, ref at), value = Varint(message, ref at);
            byte[] bytes = [];
            if ((tag & 7) == 2)
            {
                bytes = message[at..(at + (int)value)];
                at += (int)value;
            }
            else
            {
                (tag & 7).ShouldBe(0UL);
            }

            fields.Add(((int)(tag >> 3), new(value, bytes)));
        }

        return fields.ToLookup(field => field.Id, field => field.Field);
    }

    private static ulong Varint(byte[] message, ref int at)
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte next = message[at++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80) return value;
        }
    }

    private static string Text(IEnumerable<Field> fields) => Encoding.UTF8.GetString(fields.Single().Bytes);

    // Items of a history, a summary or a configuration: a key and a value in JSON.
    private static Dictionary<string, string> Items(byte[] message) => Fields(message)[1].Select(item => Fields(item.Bytes))
        .ToDictionary(item => Text(item[1]), item => Text(item[16]));
}
