using System.Text.Json;
using Distill.Storage;
using Microsoft.ML.OnnxRuntime;

namespace Distill.Generation.Onnx;

/// <summary>
/// Where ONNX Runtime put the nodes of a graph, from its own record of a run. It may leave to the processor what computes shapes, which is
/// a few whole numbers; anything that reads floating-point numbers there would be the silent fallback that nobody asked for. Dispose it.
/// </summary>
internal sealed class PlacementRecord : IDisposable
{
    private const int MostBytes = 256 << 20, MostNamed = 5;

    private readonly string folder = Directory.CreateTempSubdirectory("distill-placement-").FullName;

    /// <summary>Makes sessions of these options record their runs until <see cref="End"/>.</summary>
    public void AddTo(SessionOptions options)
    {
        options.ProfileOutputPathPrefix = Path.Combine(folder, "run");
        options.EnableProfiling = true;
    }

    /// <summary>Ends the record.</summary>
    /// <returns>Nodes that ran, each as <c>operator of name</c> with its provider and whether it read floating-point numbers.</returns>
    public static IReadOnlyList<PlacedNode> End(InferenceSession session)
    {
        string path = session.EndProfiling();
        if (new FileInfo(path).Length > MostBytes)
            throw new InvalidDataException($"ONNX Runtime's record {path} is larger than {MostBytes:N0} bytes.");
        using var record = JsonDocument.Parse(File.ReadAllBytes(path));
        return [.. record.RootElement.EnumerateArray().Select(NodeOf).OfType<PlacedNode>().Distinct()];
    }

    /// <exception cref="DeviceUnavailableException">Some of the model would run on the processor; names the operators.</exception>
    public static void RequireOn(ComputeDevice device, IReadOnlyList<PlacedNode> nodes, string source)
    {
        string[] strays = [.. nodes.Where(node => node.Provider != CudaProvider.Name && node.ReadsFloats)
            .Select(node => node.Operator).Distinct().Order(StringComparer.Ordinal)];
        if (strays.Length == 0 && nodes.Any(node => node.Provider == CudaProvider.Name)) return;
        string what = strays.Length == 0 ? "everything"
            : string.Join(", ", strays.Take(MostNamed)) + (strays.Length > MostNamed ? ", …" : "");
        throw new DeviceUnavailableException(
            Printable.Of($"{source}: {device} was asked for, and ONNX Runtime would run {what} of this graph on the processor."),
            "Its CUDA provider runs GroupQueryAttention in fp16 and bf16, not in fp32: export the model with precision fp16 or bf16, "
            + "or take the device cpu.");
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static PlacedNode? NodeOf(JsonElement record)
    {
        if (!record.TryGetProperty("args", out var facts) || !facts.TryGetProperty("provider", out var provider)
            || !facts.TryGetProperty("op_name", out var name)) return null;
        bool readsFloats = facts.TryGetProperty("input_type_shape", out var inputs) && inputs.EnumerateArray()
            .SelectMany(input => input.EnumerateObject()).Any(input => input.Name.Contains("float", StringComparison.Ordinal));
        return new(name.GetString()!, provider.GetString()!, readsFloats);
    }
}

/// <param name="Operator">E.g. <c>MatMul</c>.</param>
/// <param name="Provider">E.g. <c>CPUExecutionProvider</c>.</param>
internal sealed record PlacedNode(string Operator, string Provider, bool ReadsFloats);
