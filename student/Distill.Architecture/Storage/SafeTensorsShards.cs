using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Distill.Architecture;

/// <summary>
/// Writes the weights of a model folder: one file, or shards <c>model-00001-of-00003.safetensors</c> … with the index that names them, as
/// transformers lays them out. The same input gives the same bytes.
/// </summary>
internal static class SafeTensorsShards
{
    private static readonly Dictionary<string, string> Metadata = new() { ["format"] = "pt" };
    private static readonly JsonWriterOptions Json =
        new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Weights that lay in the folder under these names are removed first; the index is written last.</summary>
    /// <param name="maxShardBytes">Tensor bytes of one file; a larger tensor gets a file of its own.</param>
    public static void Write(string folder, IEnumerable<SafeTensor> tensors, long maxShardBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxShardBytes, 1);
        RemoveOld(folder);
        var shards = Cut(tensors, maxShardBytes);
        for (int i = 0; i < shards.Count; i++)
            SafeTensorsWriter.Write(Path.Combine(folder, FileName(i, shards.Count)), shards[i], Metadata);
        if (shards.Count > 1) DurableFile.Write(Path.Combine(folder, SafeTensorsFolder.IndexName), Index(shards));
    }

    private static List<List<SafeTensor>> Cut(IEnumerable<SafeTensor> tensors, long maxShardBytes)
    {
        var shards = new List<List<SafeTensor>> { new() };
        long bytes = 0;
        foreach (var tensor in tensors)
        {
            if (bytes > 0 && bytes + tensor.ByteCount > maxShardBytes)
            {
                shards.Add([]);
                bytes = 0;
            }

            shards[^1].Add(tensor);
            bytes += tensor.ByteCount;
        }

        return shards;
    }

    private static string FileName(int shard, int shards) => shards == 1
        ? SafeTensorsFolder.FileName
        : string.Create(CultureInfo.InvariantCulture, $"model-{shard + 1:D5}-of-{shards:D5}.safetensors");

    private static byte[] Index(List<List<SafeTensor>> shards)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Json))
        {
            json.WriteStartObject();
            json.WriteStartObject("metadata");
            json.WriteNumber("total_size", shards.Sum(shard => shard.Sum(tensor => tensor.ByteCount)));
            json.WriteEndObject();
            json.WriteStartObject("weight_map");
            var places = shards.SelectMany((shard, index) => shard.Select(tensor => (tensor.Name, File: FileName(index, shards.Count))));
            foreach (var (name, file) in places.OrderBy(place => place.Name, StringComparer.Ordinal)) json.WriteString(name, file);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();
    }

    // A single file would be read before an index, and shards of another cut would lie there for good.
    private static void RemoveOld(string folder)
    {
        File.Delete(Path.Combine(folder, SafeTensorsFolder.IndexName));
        File.Delete(Path.Combine(folder, SafeTensorsFolder.FileName));
        foreach (string shard in Directory.GetFiles(folder, "model-?????-of-?????.safetensors")) File.Delete(shard);
    }
}
