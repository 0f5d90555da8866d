using Distill.Architecture;
using Distill.Export.Formats;
using Distill.Export.Package;
using Distill.Export.Parity;
using Distill.Export.Tests.Support;
using Distill.Generation.Onnx;

namespace Distill.Export.Tests.Formats;

public sealed class PrecisionTests
{
    private static readonly long[] Ids = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3];

    // Tied and not, rows that fill blocks of 32, of 16 only, and inputs that fill neither.
    public static TheoryData<string, int, int> Shapes => new() { { "qwen3", 64, 96 }, { "qwen2", 48, 80 }, { "llama", 64, 72 } };

    [Theory, MemberData(nameof(Shapes))]
    public void An_int4_graph_computes_exactly_with_the_rounded_weights(string family, int hidden, int wide) =>
        ExactOverRounded(family, hidden, wide, 4);

    [Theory, MemberData(nameof(Shapes))]
    public void An_int8_graph_computes_exactly_with_the_rounded_weights(string family, int hidden, int wide) =>
        ExactOverRounded(family, hidden, wide, 8);

    [Theory]
    [InlineData(ExportPrecision.Half)]
    [InlineData(ExportPrecision.Int8)]
    [InlineData(ExportPrecision.Int4)]
    public void A_rounded_export_opens_passes_its_gate_and_another_model_does_not(ExportPrecision precision)
    {
        var weights = Weights("qwen3", 64, 96);
        using var folder = new TemporaryFolder();
        ModelPackage.Write(folder.Path, weights, TinyModels.Tokenizer(weights.Architecture.VocabularySize),
            new PackageDescription { Name = "tiny" }, new() { Precision = precision });
        Should.NotThrow(() => PackageCheck.Run(folder.Path, 0.05));
        File.Exists(folder.File($"onnx/{precision.GraphFile()}")).ShouldBeTrue();
        using var exported = OnnxTokenModel.Load(folder.Path, new OnnxModelOptions { IntraOpThreads = 1 });
        using var reference = new TorchReferenceModel(weights);
        // Random weights are the worst there is to round: half of the tokens turn.
        var tolerance = precision.Tolerance() with { MismatchShare = 0.5 };
        var report = new ParityGate(reference, exported).Run(Inputs, tolerance);
        report.Passed.ShouldBeTrue(report.ToString());
        report.MaxAbsLogitDiff.ShouldBeGreaterThan(1e-4 * report.MaxAbsLogit); // it is rounded
        using var stranger = new TorchReferenceModel(TinyModels.Weights(weights.Architecture, seed: 8));
        new ParityGate(stranger, exported).Run(Inputs, tolerance).Passed.ShouldBeFalse();
    }

    [Fact]
    public void Files_shrink_as_promised()
    {
        var a = TinyModels.Qwen3 with { VocabularySize = 640, HiddenSize = 96, IntermediateSize = 256, Layers = 4, HeadSize = 32, Heads = 3,
            KeyValueHeads = 1 };
        var weights = TinyModels.Weights(a);
        double full = new DecoderGraph(a).ToBytes(weights).Length;
        double Share(ExportPrecision precision) =>
            new DecoderGraph(a, new ExportOptions { Precision = precision }).ToBytes(weights).Length / full;

        Share(ExportPrecision.Half).ShouldBeInRange(0.5, 0.53);
        Share(ExportPrecision.Int8).ShouldBeInRange(0.27, 0.32);
        Share(ExportPrecision.Int4).ShouldBeInRange(0.15, 0.22);
    }

    [Fact]
    public void Names_parse_to_their_precision()
    {
        ExportPrecisions.Names.ShouldBe(["fp32", "fp16", "bf16", "int8", "int4"]);
        ExportPrecisions.Names.Select(name => ExportPrecisions.Parse(name)!.Value.Name()).ShouldBe(ExportPrecisions.Names);
        ExportPrecisions.Parse("int3").ShouldBeNull();
    }

    private static ParityInputs Inputs =>
        new() { Sequences = [[1, 2, 3, 4, 5, 6, 7, 8]], Prompts = [[1], [5, 6, 7], [9, 8, 7, 6, 5, 4, 3]], MaxNewTokens = 20 };

    private static void ExactOverRounded(string family, int hidden, int wide, int bits)
    {
        var weights = Weights(family, hidden, wide);
        int headBlock = hidden % 32 == 0 ? 32 : 16;
        var rounded = Changed(weights, (name, row) =>
        {
            if (name is ParameterMap.Embedding or ParameterMap.OutputProjection) new BlockQuantizer(8, headBlock).RoundTrip(row);
            else if (IsMatrix(name)) new BlockQuantizer(bits, 32).RoundTrip(row);
        });
        byte[] quantized = new DecoderGraph(weights.Architecture, new BlockFormat(bits, accuracyLevel: 0)).ToBytes(weights);
        Difference(quantized, new DecoderGraph(weights.Architecture).ToBytes(rounded), weights.Architecture).ShouldBeLessThan(1e-5);
    }

    private static double Difference(byte[] one, byte[] two, DecoderArchitecture a)
    {
        using var first = OnnxRun.Open(one);
        using var second = OnnxRun.Open(two);
        return OnnxRun.RelativeDifference(OnnxRun.Logits(first, a, Ids, 1), OnnxRun.Logits(second, a, Ids, 1));
    }

    private static WeightSet Weights(string family, int hidden, int wide) =>
        TinyModels.Weights(TinyModels.Family(family) with { HiddenSize = hidden, IntermediateSize = wide });

    private static bool IsMatrix(string name) =>
        !name.Contains("norm", StringComparison.Ordinal) && !name.EndsWith(".bias", StringComparison.Ordinal);

    private delegate void RowChange(string name, Span<float> row);

    private static WeightSet Changed(WeightSet weights, RowChange change)
    {
        var values = new Dictionary<string, float[]>();
        foreach (var parameter in ParameterMap.For(weights.Architecture))
        {
            float[] copy = weights[parameter.Name].ToArray();
            int width = (int)parameter.Shape[^1];
            for (int at = 0; at < copy.Length; at += width) change(parameter.Name, copy.AsSpan(at, width));
            values.Add(parameter.Name, copy);
        }

        return new(weights.Architecture, values);
    }
}
