using Distill.Architecture;
using Distill.Export.Formats;
using Distill.Export.Graph;
using Distill.Export.Onnx;
using Distill.Export.Package;
using Distill.Export.Tests.Support;
using Distill.Generation.Onnx;
using Microsoft.ML.OnnxRuntime;

namespace Distill.Export.Tests.Formats;

/// <summary>
/// Products in 8-bit whole numbers: the codes, scales and results of ONNX Runtime's <c>quantize_dynamic</c>, and a folder that has both
/// graphs.
/// </summary>
public sealed class DynamicInt8Tests
{
    private const string Case = "dynamic.channel.s8";

    [Theory]
    [InlineData("w1")]
    [InlineData("w2")]
    public void Codes_and_scales_are_those_of_the_reference(string matrix)
    {
        using var golden = SafeTensorsFile.Open(FixtureFolder.RequireFile("quantization", "int8.safetensors"));
        var shape = golden.Entry(matrix).Shape; // [in, out]
        float[] weights = golden.ReadSingles(matrix), scales = golden.ReadSingles($"{Case}.{matrix}_scale");
        byte[] codes = golden.ReadBytes($"{Case}.{matrix}_quantized");
        int rows = (int)shape[0], columns = (int)shape[1];
        for (int column = 0; column < columns; column++)
        {
            float[] values = [.. Enumerable.Range(0, rows).Select(row => weights[(row * columns) + column])];
            float scale = DynamicInt8Format.Scale(values);
            scale.ShouldBe(scales[column], 1e-7f * scale);
            for (int row = 0; row < rows; row++)
                DynamicInt8Format.Code(values[row], scales[column]).ShouldBe((sbyte)codes[(row * columns) + column]);
        }

        DynamicInt8Format.Code(0, 0).ShouldBe((sbyte)0);
    }

    // The reference's model of two layers: x · w1 + b1, what is above 0 of it, · w2.
    [Fact]
    public void Results_are_those_of_the_reference()
    {
        using var golden = SafeTensorsFile.Open(FixtureFolder.RequireFile("quantization", "int8.safetensors"));
        float[] hidden = Product(golden, "w1", golden.ReadSingles("x")), bias = golden.ReadSingles("b1");
        for (int i = 0; i < hidden.Length; i++) hidden[i] = Math.Max(0, hidden[i] + bias[i % bias.Length]);
        OnnxRun.RelativeDifference(Product(golden, "w2", hidden), golden.ReadSingles($"{Case}.y")).ShouldBeLessThan(1e-5);
    }

    [Theory]
    [InlineData("qwen3", false)]
    [InlineData("llama", false)]
    [InlineData("mistral", true)]
    public void A_folder_has_both_graphs_and_the_second_is_near_the_first(string family, bool portable)
    {
        var weights = TinyModels.Weights(TinyModels.Family(family) with { HiddenSize = 64, IntermediateSize = 96 });
        using var folder = new TemporaryFolder();
        ModelPackage.Write(folder.Path, weights, TinyModels.Tokenizer(weights.Architecture.VocabularySize),
            new PackageDescription { Name = "tiny" }, new() { DynamicInt8 = true, Portable = portable });
        Should.NotThrow(() => PackageCheck.Run(folder.Path));
        float[] first = Logits(ModelFolder.Open(folder.Path)), second = Logits(ModelFolder.Open(folder.Path, "onnx/model_quantized.onnx"));
        OnnxRun.RelativeDifference(second, first).ShouldBeInRange(1e-4, 0.05, family);
        new FileInfo(folder.File("onnx/model_quantized.onnx_data")).Length
            .ShouldBeLessThan(new FileInfo(folder.File("onnx/model.onnx_data")).Length / 2);
        string config = File.ReadAllText(folder.File("config.json"));
        config.ShouldContain("\"model_quantized.onnx\": 1");
        config.ShouldContain("\"q8\"");
        File.ReadAllText(folder.File("distill.json")).ShouldContain("onnx/model_quantized.onnx_data");
    }

    private static float[] Logits(ModelFolder folder)
    {
        int[] ids = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3];
        using var model = OnnxTokenModel.Load(folder, new OnnxModelOptions { IntraOpThreads = 1 });
        float[] logits = new float[ids.Length * model.VocabularySize];
        using var session = model.Open(1, ids.Length);
        session.Prefill(0, ids, logits);
        return logits;
    }

    // x [rows, in] · a matrix of the reference's, [in, out].
    private static float[] Product(SafeTensorsFile golden, string matrix, float[] x)
    {
        int k = (int)golden.Entry(matrix).Shape[0], n = (int)golden.Entry(matrix).Shape[1];
        var a = TinyModels.Qwen3 with { HiddenSize = k, IntermediateSize = n, Layers = 1 };
        var gate = new ParameterSpec(ParameterMap.Layer(0, "mlp.gate_proj.weight"), [n, k]);
        var values = ParameterMap.For(a).ToDictionary(parameter => parameter.Name, parameter => new float[parameter.Count]);
        float[] stored = golden.ReadSingles(matrix);
        for (int i = 0; i < stored.Length; i++) values[gate.Name][(i % n * k) + (i / n)] = stored[i];
        var graph = new GraphAssembly();
        new DynamicInt8Format().Multiply(graph, "x", "y", matrix, new ProjectionWeights(gate));
        var model = new OnnxModel
        {
            Name = "product", Nodes = graph.Nodes, Initializers = graph.Initializers,
            Inputs = [new("x", OnnxElementType.Float, ["rows", k])], Outputs = [new("y", OnnxElementType.Float, ["rows", n])],
        };
        using var session = OnnxRun.Open(new OnnxTemplate(model, "test").ToBytes(new WeightSet(a, values)));
        using var input = OrtValue.CreateTensorValueFromMemory(x, [x.Length / k, k]);
        using var run = new RunOptions();
        using var outputs = session.Run(run, ["x"], [input], ["y"]);
        return outputs[0].GetTensorDataAsSpan<float>().ToArray();
    }
}
