using System.Buffers.Binary;
using System.Text;
using Distill.Pipeline.Runs;

namespace Distill.Pipeline.Tests.Runs;

public sealed class TensorBoardLogTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("distill-board").FullName;

    [Fact]
    public void Values_become_records_of_event_files_one_folder_per_stage()
    {
        var log = new TensorBoardLog(folder);
        for (int step = 1; step <= 3; step++)
            log.Add("sft", step, new Dictionary<string, double> { ["loss"] = 3.5 / step, ["gradient_norm"] = double.NaN });
        log.Add("evaluation/rl", 1, new Dictionary<string, double> { ["reward"] = 0.5 });

        Directory.GetDirectories(folder).Select(Path.GetFileName).Order().ShouldBe(["evaluation-rl", "sft"]);
        var records = Records("sft");
        records.Count(record => Encoding.Latin1.GetString(record).Contains("loss", StringComparison.Ordinal)).ShouldBe(3);
        records.ShouldAllBe(record => !Encoding.Latin1.GetString(record).Contains("gradient_norm", StringComparison.Ordinal));
        records.Count(record => record.AsSpan().IndexOf(BitConverter.GetBytes(1.75f)) >= 0).ShouldBe(1);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>TFRecord: length, its checksum, data, its checksum; the file must be made of whole records.</summary>
    private List<byte[]> Records(string stage)
    {
        var records = new List<byte[]>();
        foreach (string path in Directory.GetFiles(Path.Combine(folder, stage)))
        {
            ReadOnlySpan<byte> rest = File.ReadAllBytes(path);
            while (rest.Length > 0)
            {
                int length = (int)BinaryPrimitives.ReadUInt64LittleEndian(rest);
                records.Add(rest.Slice(12, length).ToArray());
                rest = rest[(12 + length + 4)..];
            }
        }

        return records;
    }
}
