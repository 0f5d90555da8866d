using Distill.Architecture;
using Distill.Generation.Onnx;

namespace Distill.Export.Onnx;

/// <summary>
/// Writes a model file with its weights in files beside it, streamed through a small buffer: the layout of ONNX external data as
/// GenAI and transformers.js expect it (<c>model.onnx</c>, <c>model.onnx_data</c>, <c>model.onnx_data_1</c>, …).
/// </summary>
internal static class OnnxWriter
{
    public const long DefaultMaxFileBytes = 2_000_000_000; // what a browser can hold in one buffer

    private const int BufferBytes = 4 << 20;

    /// <summary>Large tensors start on 64 KiB, so that Windows can map them; small ones must not waste a page each.</summary>
    private const int LargeBytes = 1 << 20, LargeAlignment = 1 << 16, SmallAlignment = 64;

    /// <returns>The names of the data files.</returns>
    public static IReadOnlyList<string> Write(string path, OnnxModel model, WeightSet weights, string producerVersion,
        long maxFileBytes = DefaultMaxFileBytes)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!, baseName = Path.GetFileName(path) + "_data";
        var tensors = new ProtobufBuffer();
        var names = new List<string>();
        FileStream? data = null;
        byte[] buffer = GC.AllocateUninitializedArray<byte>(BufferBytes);
        try
        {
            foreach (var initializer in model.Initializers)
            {
                if (initializer.IsSmall)
                {
                    AppendInline(tensors, initializer, weights);
                    continue;
                }

                if (data is null || (data.Position > 0 && data.Position + initializer.ByteCount > maxFileBytes))
                    data = NextFile(data, folder, baseName, names);
                Align(data, initializer.ByteCount >= LargeBytes ? LargeAlignment : SmallAlignment);
                long offset = data.Position;
                tensors.Message(5, tensor => OnnxEncoding.ExternalTensor(tensor, initializer, names[^1], offset));
                Stream(data, initializer, weights, ref buffer);
            }

            data?.Flush(flushToDisk: true);
        }
        finally
        {
            data?.Dispose();
        }

        WriteModel(path, model, tensors, producerVersion);
        return names;
    }

    private static void WriteModel(string path, OnnxModel model, ProtobufBuffer tensors, string producerVersion)
    {
        var graph = new ProtobufBuffer();
        OnnxEncoding.GraphHead(graph, model);
        var head = new ProtobufBuffer();
        OnnxEncoding.ModelHead(head, model, producerVersion);
        head.Prefix(7, graph.Length + tensors.Length);
        DurableFile.Write(path, [.. head.Written, .. graph.Written, .. tensors.Written]);
    }

    private static void AppendInline(ProtobufBuffer tensors, OnnxInitializer initializer, WeightSet weights) => tensors.Message(5, tensor =>
    {
        // The raw data are themselves a field: length prefix and content.
        byte[] bytes = new byte[initializer.ByteCount];
        initializer.Fill(weights, 0, bytes);
        OnnxEncoding.InlineTensor(tensor, initializer);
        tensor.Raw(bytes);
    });

    private static FileStream NextFile(FileStream? current, string folder, string baseName, List<string> names)
    {
        current?.Flush(flushToDisk: true);
        current?.Dispose();
        names.Add(names.Count == 0 ? baseName : $"{baseName}_{names.Count}");
        return new FileStream(Path.Combine(folder, names[^1]), FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 1 << 16);
    }

    private static void Stream(FileStream data, OnnxInitializer initializer, WeightSet weights, ref byte[] buffer)
    {
        long rowBytes = initializer.RowBytes;
        if (rowBytes > buffer.Length) buffer = GC.AllocateUninitializedArray<byte>(checked((int)rowBytes));
        int rowsAtOnce = (int)(buffer.Length / rowBytes);
        int rows = checked((int)(initializer.ByteCount / rowBytes));
        for (int row = 0; row < rows; row += rowsAtOnce)
        {
            var chunk = buffer.AsSpan(0, (int)(Math.Min(rowsAtOnce, rows - row) * rowBytes));
            initializer.Fill(weights, row, chunk);
            data.Write(chunk);
        }
    }

    private static void Align(FileStream data, int alignment)
    {
        Span<byte> zeros = stackalloc byte[512];
        zeros.Clear();
        for (long missing = -data.Position & (alignment - 1); missing > 0;)
        {
            int now = (int)Math.Min(missing, zeros.Length);
            data.Write(zeros[..now]);
            missing -= now;
        }
    }
}
