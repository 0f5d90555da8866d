using Distill.Architecture;
using Distill.Export.Quantization;
using Distill.Export.Tests.Support;

namespace Distill.Export.Tests.Quantization;

public sealed class LayerwiseCalibrationTests
{
    private static readonly BlockLayout Layout = new(4, 16);

    public static TheoryData<string> Families => [.. TinyModels.Families];

    [Theory, MemberData(nameof(Families))]
    public void Every_family_loses_less_than_by_rounding_to_nearest(string family)
    {
        var weights = Weights(family);
        var chosen = new ModelQuantization(Calibrated(weights, Options));
        var nearest = new ModelQuantization(chosen.Matrices.ToDictionary(
            pair => pair.Key, pair => QuantizedMatrix.Nearest(weights[pair.Key].Span, Layout, pair.Value.Columns)));
        chosen.Matrices.Keys.Order().ShouldBe(ParameterMap.For(weights.Architecture).Select(parameter => parameter.Name)
            .Where(name => name.EndsWith("_proj.weight", StringComparison.Ordinal)).Order());
        Loss(weights, chosen).ShouldBeLessThan(0.8 * Loss(weights, nearest), family);
    }

    // What is rounded layer by layer is what the exported graph computes with.
    [Theory, MemberData(nameof(Families))]
    public void The_exported_graph_computes_with_the_chosen_codes(string family)
    {
        var weights = Weights(family);
        // Feed-forward in 8 bits and larger blocks, attention in 4.
        var matrices = Calibrated(weights, Options with
        {
            Layout = name => name.Contains("mlp", StringComparison.Ordinal) ? new(8, 32) : Layout,
        });
        var chosen = new ModelQuantization(matrices);
        var embedding = QuantizedMatrix.Nearest(weights[ParameterMap.Embedding].Span, new(4, 16), weights.Architecture.HiddenSize);
        var whole = new ModelQuantization(new Dictionary<string, QuantizedMatrix>(matrices) { [ParameterMap.Embedding] = embedding });
        foreach (var quantization in (ModelQuantization[])[chosen, whole])
        {
            var format = new Export.Formats.BlockFormat(4, accuracyLevel: 0, quantization);
            byte[] quantized = new DecoderGraph(weights.Architecture, format).ToBytes(weights);
            var dequantized = Rounded(quantization.Dequantize(weights), quantization);
            Difference(quantized, new DecoderGraph(weights.Architecture).ToBytes(dequantized), weights.Architecture).ShouldBeLessThan(1e-5);
        }
    }

    [Fact]
    public void The_same_texts_give_the_same_bytes_whatever_the_threads()
    {
        var weights = Weights("qwen3");
        var one = Calibrated(weights, Options with { Threads = 1 });
        var two = Calibrated(weights, Options with { Threads = 3 });
        foreach (var (name, matrix) in one)
        {
            matrix.Codes.ShouldBe(two[name].Codes, name);
            matrix.Scales.ShouldBe(two[name].Scales, name);
        }
    }

    [Fact]
    public void Matrices_of_one_operator_need_one_layout()
    {
        var weights = Weights("qwen3");
        var matrices = Calibrated(weights, Options with
        {
            Layout = name => name.Contains("k_proj", StringComparison.Ordinal) ? new(8, 16) : Layout,
        });
        Should.Throw<InvalidOperationException>(() => new DecoderGraph(
            weights.Architecture, new ExportOptions { Precision = ExportPrecision.Int4, Quantization = new(matrices) }))
            .Message.ShouldContain("one layout");
    }

    private static CalibrationOptions Options => new() { Layout = _ => Layout };

    private static WeightSet Weights(string family) =>
        TinyModels.Weights(TinyModels.Family(family) with { HiddenSize = 64, IntermediateSize = 72 });

    private static IReadOnlyDictionary<string, QuantizedMatrix> Calibrated(WeightSet weights, CalibrationOptions options)
    {
        var random = new Random(4);
        int[][] texts = [.. Enumerable.Range(0, 12).Select(_ => Enumerable.Range(0, 24).Select(_ => random.Next(48)).ToArray())];
        return new LayerwiseCalibration(weights, options).Run(texts);
    }

    // Mean square of what the logits of another text differ by.
    private static double Loss(WeightSet weights, ModelQuantization quantization)
    {
        float[] exact = Logits(weights), rounded = Logits(quantization.Dequantize(weights));
        return exact.Zip(rounded, (one, other) => Math.Pow(one - other, 2)).Average();
    }

    private static float[] Logits(WeightSet weights)
    {
        using var reference = new Export.Parity.TorchReferenceModel(weights);
        int[] ids = [.. Enumerable.Range(0, 60).Select(i => (i * 7) % 47)];
        float[] logits = new float[ids.Length * reference.VocabularySize];
        reference.Logits(ids, logits);
        return logits;
    }

    // What was not chosen is rounded to nearest when it is written: the tables, in blocks of 32.
    private static WeightSet Rounded(WeightSet weights, ModelQuantization quantization) =>
        new(weights.Architecture, ParameterMap.For(weights.Architecture).Select(parameter =>
        {
            float[] values = weights[parameter.Name].ToArray();
            bool table = parameter.Name is ParameterMap.Embedding or ParameterMap.OutputProjection;
            if (table && !quantization.Matrices.ContainsKey(parameter.Name))
                QuantizedMatrix.Nearest(values, new(8, 32), (int)parameter.Shape[1]).Dequantize(values);
            return KeyValuePair.Create(parameter.Name, (ReadOnlyMemory<float>)values);
        }));

    private static double Difference(byte[] one, byte[] two, DecoderArchitecture a)
    {
        long[] ids = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3];
        using var first = OnnxRun.Open(one);
        using var second = OnnxRun.Open(two);
        return OnnxRun.RelativeDifference(OnnxRun.Logits(first, a, ids, 1), OnnxRun.Logits(second, a, ids, 1));
    }
}
