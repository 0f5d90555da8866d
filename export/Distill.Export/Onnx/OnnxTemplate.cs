using Distill.Architecture;
using Distill.Generation.Onnx;

namespace Distill.Export.Onnx;

/// <summary>
/// The bytes of a model with its weights inside, all but the weights made once: giving new weights is one copy of the template
/// and writing each constant in its place. Immutable; safe from any thread.
/// </summary>
internal sealed class OnnxTemplate
{
    private readonly OnnxModel model;
    private readonly byte[][] prefixes; // what stands before the data of initializer i
    private readonly byte[] head;
    private readonly int length;

    /// <exception cref="InvalidDataException">The model would exceed the 2 GiB that protobuf allows.</exception>
    public OnnxTemplate(OnnxModel model, string producerVersion)
    {
        this.model = model;
        prefixes = [.. model.Initializers.Select(Prefix)];
        var graph = new ProtobufBuffer();
        OnnxEncoding.GraphHead(graph, model);
        long graphLength = graph.Length
            + model.Initializers.Zip(prefixes, (initializer, prefix) => prefix.Length + initializer.ByteCount).Sum();
        var buffer = new ProtobufBuffer();
        OnnxEncoding.ModelHead(buffer, model, producerVersion);
        buffer.Prefix(7, graphLength);
        head = [.. buffer.Written, .. graph.Written];
        long total = buffer.Length + graphLength;
        if (total > Array.MaxLength)
            throw new InvalidDataException(
                $"A model of {total} bytes does not fit into one ONNX message (2 GiB); write it with external data.");
        length = (int)total;
    }

    /// <param name="weights">Null for a model none of whose constants is made from weights.</param>
    public byte[] ToBytes(WeightSet? weights)
    {
        byte[] bytes = GC.AllocateUninitializedArray<byte>(length);
        head.CopyTo(bytes, 0);
        int position = head.Length;
        for (int i = 0; i < prefixes.Length; i++)
        {
            prefixes[i].CopyTo(bytes, position);
            position += prefixes[i].Length;
            int count = (int)model.Initializers[i].ByteCount;
            model.Initializers[i].Fill(weights!, 0, bytes.AsSpan(position, count));
            position += count;
        }

        return bytes;
    }

    private static byte[] Prefix(OnnxInitializer initializer)
    {
        var tensor = new ProtobufBuffer();
        OnnxEncoding.InlineTensor(tensor, initializer);
        var field = new ProtobufBuffer();
        field.Prefix(5, tensor.Length + initializer.ByteCount);
        return [.. field.Written, .. tensor.Written];
    }
}
