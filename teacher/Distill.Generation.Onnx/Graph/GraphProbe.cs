using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Distill.Storage;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Distill.Generation.Onnx;

/// <summary>
/// A decoder graph that also gives what flows inside it: a copy in memory with more outputs, run node by node as it is written, over whole
/// sequences without a cache. For finding faults, not for speed. One thread at a time; dispose it.
/// </summary>
internal sealed class GraphProbe : IDisposable
{
    private readonly InferenceSession session;
    private readonly ModelFolder folder;

    private GraphProbe(InferenceSession session, ModelFolder folder, GraphOutline graph, IReadOnlySet<string> values)
    {
        (this.session, this.folder, Graph, Values) = (session, folder, graph, values);
    }

    public GraphOutline Graph { get; }

    /// <summary>Those of the wanted values that the graph has.</summary>
    public IReadOnlySet<string> Values { get; }

    /// <param name="wanted">Names of values inside the graph, or of its outputs.</param>
    /// <returns>Null for a graph that is no plain list of nodes, or whose data cannot be found from memory.</returns>
    /// <exception cref="InvalidDataException">The file is no ONNX model, or ONNX Runtime cannot load it.</exception>
    public static GraphProbe? Open(ModelFolder folder, IReadOnlyCollection<string> wanted)
    {
        using var stream = new FileStream(folder.GraphPath, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        if (GraphOutline.Read(stream, folder.GraphPath) is not { } graph) return null;
        if (ExternalFiles.Of(Path.GetDirectoryName(folder.GraphPath)!, graph) is not { } files) return null;
        var outputs = graph.Outputs.Select(output => output.Name).ToHashSet(StringComparer.Ordinal);
        var made = graph.Nodes.SelectMany(node => node.Outputs).Where(name => name.Length > 0).ToHashSet(StringComparer.Ordinal);
        var values = wanted.Where(made.Contains).ToHashSet(StringComparer.Ordinal);
        var edit = new GraphEdit(stream, graph);
        foreach (var tensor in graph.Initializers)
        {
            if (tensor.Location is { } location && files.Names.TryGetValue(location, out string? name))
                edit.Replace(tensor.Piece, LogitRowSelection.Moved(stream, folder.GraphPath, tensor.Piece, name));
        }

        // GraphProto: output 12. ValueInfoProto: name 1; ONNX Runtime finds out the type.
        var added = new ProtobufBuffer();
        foreach (string value in values.Where(value => !outputs.Contains(value))) added.Message(12, info => info.Text(1, value));
        return new GraphProbe(Session(edit.Write([.. added.Written]), files.Folder, folder), folder, graph, values);
    }

    /// <param name="ids">One sequence, not empty.</param>
    /// <returns>[time × width] by value; as fp32, whatever they are in the graph.</returns>
    /// <exception cref="InvalidDataException">ONNX Runtime cannot run the graph; or a value is of no type that is known here.</exception>
    public IReadOnlyDictionary<string, float[]> Run(IReadOnlyList<int> ids)
    {
        var inputs = new Dictionary<string, OrtValue>();
        try
        {
            foreach (var (name, input) in session.InputMetadata) inputs.Add(name, Input(name, input, ids));
            using var options = new RunOptions();
            string[] names = [.. Values];
            using var outputs = session.Run(options, inputs, names);
            return names.Select((name, i) => (name, Values: Numbers(outputs[i], name)))
                .ToDictionary(pair => pair.name, pair => pair.Values);
        }
        catch (OnnxRuntimeException e)
        {
            throw new InvalidDataException(Printable.Of($"{folder.GraphPath}: ONNX Runtime cannot run it: {e.Message}"), e);
        }
        finally
        {
            foreach (var input in inputs.Values) input.Dispose();
        }
    }

    public void Dispose() => session.Dispose();

    private static InferenceSession Session(byte[] model, string dataFolder, ModelFolder folder)
    {
        _ = RuntimeTelemetry.Runtime;
        using var options = new SessionOptions
        {
            // As the file has it: what is fused or folded could hide the value that is asked for.
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
        };
        options.AddSessionConfigEntry("session.model_external_initializers_file_folder_path", dataFolder);
        try
        {
            return new InferenceSession(model, options);
        }
        catch (OnnxRuntimeException e)
        {
            throw new InvalidDataException(Printable.Of($"{folder.GraphPath}: ONNX Runtime cannot load it: {e.Message}"), e);
        }
    }

    private OrtValue Input(string name, NodeMetadata input, IReadOnlyList<int> ids)
    {
        var names = folder.Configuration.Names;
        if (name == names.InputIds) return Row([.. ids.Select(id => (long)id)]);
        if (name == names.AttentionMask) return Row([.. ids.Select(_ => 1L)]);
        if (name == names.PositionIds) return Row([.. Enumerable.Range(0, ids.Count).Select(position => (long)position)]);
        long[] shape = [1, folder.Configuration.KeyValueHeads, 0, folder.Configuration.HeadSize]; // an empty past
        return input.ElementDataType switch
        {
            TensorElementType.Float => OrtValue.CreateTensorValueFromMemory(Array.Empty<float>(), shape),
            TensorElementType.Float16 => OrtValue.CreateTensorValueFromMemory(Array.Empty<Float16>(), shape),
            var type => throw new InvalidDataException(Printable.Of($"{folder.GraphPath}: '{name}' is {type}, which is not known here.")),
        };

        static OrtValue Row(long[] values) => OrtValue.CreateTensorValueFromMemory(values, [1, values.Length]);
    }

    private float[] Numbers(OrtValue value, string name)
    {
        switch (value.GetTensorTypeAndShape().ElementDataType)
        {
            case TensorElementType.Float: return value.GetTensorDataAsSpan<float>().ToArray();
            case TensorElementType.Float16:
                var half = MemoryMarshal.Cast<Float16, Half>(value.GetTensorDataAsSpan<Float16>());
                float[] numbers = new float[half.Length];
                TensorPrimitives.ConvertToSingle(half, numbers);
                return numbers;
            case var type:
                throw new InvalidDataException(Printable.Of($"{folder.GraphPath}: '{name}' is {type}, which is not known here."));
        }
    }
}
