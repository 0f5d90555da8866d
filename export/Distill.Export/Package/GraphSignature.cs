using Distill.Generation.Onnx;

namespace Distill.Export.Package;

/// <summary>An input or output as a reader feeds it: <c>int64</c>, and a number or a name for every dimension.</summary>
internal sealed record GraphPort(string Name, string Type, IReadOnlyList<string> Shape);

/// <summary>What a written graph takes and gives, read from its file.</summary>
internal sealed record GraphSignature(string File, IReadOnlyList<GraphPort> Inputs, IReadOnlyList<GraphPort> Outputs)
{
    private static readonly Dictionary<long, string> s_types = new()
    {
        [1] = "float32", [2] = "uint8", [3] = "int8", [6] = "int32", [7] = "int64", [9] = "bool", [10] = "float16", [16] = "bfloat16",
    };

    /// <param name="folder">Of the model.</param>
    /// <param name="file">The graph, relative to it, with slashes.</param>
    /// <exception cref="InvalidDataException">The file is no ONNX model of one graph.</exception>
    public static GraphSignature Read(string folder, string file)
    {
        using var stream = System.IO.File.OpenRead(Path.Combine(folder, file));
        var outline = GraphOutline.Read(stream, file) ?? throw new InvalidDataException($"'{file}' is not a model of one graph.");
        // Inputs with a value of their own are places for adapters: nobody must feed them.
        var initial = outline.Initializers.Select(initializer => initializer.Name).ToHashSet();
        return new(file, [.. outline.Inputs.Where(input => !initial.Contains(input.Name)).Select(Port)], [.. outline.Outputs.Select(Port)]);

        GraphPort Port(GraphValueInfo value)
        {
            var type = TensorTypeReader.Read(stream, file, value.Piece)
                ?? throw new InvalidDataException($"'{value.Name}' of '{file}' is no tensor.");
            return new(
                value.Name, s_types.GetValueOrDefault(type.ElementType, $"type {type.ElementType}"),
                [.. type.Dimensions.Select(dimension => dimension.Name.Length > 0 ? dimension.Name : $"{dimension.Number}")]);
        }
    }
}
