using Distill.Architecture;
using Distill.Export.Formats;
using Distill.Export.Graph;
using Distill.Export.Onnx;
using Distill.Export.Package;
using Distill.Export.Tests.Support;
using Distill.Generation.GenAI;
using Distill.Generation.Onnx;
using Microsoft.ML.OnnxRuntime;
using TorchSharp;

namespace Distill.Export.Tests.Formats;

/// <summary>
/// fp16 and bf16 graphs: what the CUDA provider needs of their types, that their weights are rounded to nearest, and what they say. fp16
/// runs on a CPU; of bf16 a CPU has no kernels, so its graph is computed with every value rounded.
/// </summary>
public sealed class ReducedFloatTests
{
    private static readonly WeightFormat BFloat16 = WeightFormat.Of(new ExportOptions { Precision = ExportPrecision.BFloat16 });

    private static readonly long[] Ids = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3];

    public static TheoryData<string, ExportPrecision> Graphs => [
        .. from family in TinyModels.Families
           from precision in Enum.GetValues<ExportPrecision>()
           select (family, precision)];

    public static TheoryData<string> Families => [.. TinyModels.Families];

    [Theory]
    [InlineData(1f, 0x3F80)]
    [InlineData(1.00390625f, 0x3F80)]         // 1 + 2⁻⁸: half-way, the even one is below
    [InlineData(1.01171875f, 0x3F82)]         // 1 + 3·2⁻⁸: half-way, the even one is above
    [InlineData(1.0039063692092896f, 0x3F81)] // just above half-way
    [InlineData(-0f, 0x8000)]
    [InlineData(float.MaxValue, 0x7F80)]
    [InlineData(3.3895314e38f, 0x7F7F)]       // the largest there is
    [InlineData(float.NegativeInfinity, 0xFF80)]
    [InlineData(1e-45f, 0x0000)]
    [InlineData(9.2e-41f, 0x0001)]            // a subnormal number
    public void Bf16_takes_the_nearest_and_of_two_the_even_one(float value, int bits) =>
        ((int)StoredNumbers.BFloat16Bits(value)).ShouldBe(bits);

    [Fact]
    public void Bf16_is_rounded_as_torch_rounds_it()
    {
        var random = new Random(3);
        float[] values = [.. Enumerable.Range(0, 200_000).Select(_ => BitConverter.UInt32BitsToSingle((uint)random.NextInt64(1L << 32)))];
        using var scope = torch.NewDisposeScope();
        float[] expected = torch.tensor(values).to(torch.bfloat16).to(torch.float32).data<float>().ToArray();
        for (int i = 0; i < values.Length; i++)
        {
            float actual = BitConverter.UInt32BitsToSingle((uint)StoredNumbers.BFloat16Bits(values[i]) << 16);
            if (float.IsNaN(values[i])) float.IsNaN(actual).ShouldBeTrue();
            else actual.ShouldBe(expected[i], $"{values[i]:R}");
        }
    }

    [Theory, MemberData(nameof(Graphs))]
    public void Types_agree_along_every_edge_and_nothing_is_cast_on_the_way(string family, ExportPrecision precision)
    {
        var format = WeightFormat.Of(new ExportOptions { Precision = precision });
        var model = DecoderGraphBuilder.Build(TinyModels.Family(family), format);
        var types = GraphTypes.Of(model);
        types[DecoderValues.Logits].ShouldBe(OnnxElementType.Float);
        foreach (var value in model.Inputs.Concat(model.Outputs).Where(value => value.Name.Contains("key") || value.Name.Contains("value")))
            types[value.Name].ShouldBe(format.Flow, value.Name);
        foreach (var attention in model.Nodes.Where(node => node.Operator == "GroupQueryAttention"))
            types[attention.Inputs[0]].ShouldBe(format.Flow);
        string[] casts = [.. model.Nodes.Where(node => node.Operator == "Cast").Select(node => node.Outputs[0])];
        string[] ends = precision switch
        {
            ExportPrecision.Single => [],
            ExportPrecision.Int8 or ExportPrecision.Int4 => ["embedded.bytes"],
            _ => [DecoderValues.Logits],
        };
        casts.ShouldBe([SequenceLengths.LastPosition, SequenceLengths.Total, .. ends], ignoreOrder: true);
    }

    // The type check of ONNX Runtime comes before it looks for kernels.
    [Theory, MemberData(nameof(Families))]
    public void A_bf16_graph_passes_the_type_check_and_lacks_nothing_but_kernels_of_a_cpu(string family)
    {
        var weights = TinyModels.Weights(TinyModels.Family(family));
        byte[] graph = new DecoderGraph(weights.Architecture, new ExportOptions { Precision = ExportPrecision.BFloat16 }).ToBytes(weights);
        Should.Throw<OnnxRuntimeException>(() => OnnxRun.Open(graph)).Message.ShouldContain("Could not find an implementation for");
        var wrong = DecoderGraphBuilder.Build(weights.Architecture, BFloat16);
        var broken = wrong with
        {
            Inputs = [.. wrong.Inputs.Select(value =>
                value.Name == DecoderValues.PastKey(0) ? value with { Type = OnnxElementType.Float16 } : value)],
        };
        Should.Throw<OnnxRuntimeException>(() => OnnxRun.Open(new OnnxTemplate(broken, "test").ToBytes(weights))).Message
            .ShouldNotContain("Could not find an implementation for");
    }

    [Theory, MemberData(nameof(Families))]
    public void A_bf16_graph_with_every_value_rounded_stays_within_its_tolerance(string family)
    {
        var weights = TinyModels.Weights(TinyModels.Family(family) with { HiddenSize = 64, IntermediateSize = 96 });
        var rounded = RoundedGraph.Of(DecoderGraphBuilder.Build(weights.Architecture, BFloat16));
        double difference = Difference(new OnnxTemplate(rounded, "test").ToBytes(weights), weights);
        difference.ShouldBeInRange(1e-4, ExportPrecision.BFloat16.Tolerance().RelativeLogits, family);
    }

    [Theory, MemberData(nameof(Families))]
    public void An_fp16_export_runs_on_a_cpu_within_its_tolerance(string family)
    {
        var weights = TinyModels.Weights(TinyModels.Family(family) with { HiddenSize = 64, IntermediateSize = 96 });
        using var folder = new TemporaryFolder();
        ModelPackage.Write(folder.Path, weights, TinyModels.Tokenizer(weights.Architecture.VocabularySize),
            new PackageDescription { Name = "tiny" }, new() { Precision = ExportPrecision.Half });
        using var exported = OnnxTokenModel.Load(folder.Path, new OnnxModelOptions { IntraOpThreads = 1 });
        float[] actual = new float[Ids.Length * exported.VocabularySize];
        using var session = exported.Open(1, Ids.Length);
        session.Prefill(0, [.. Ids.Select(id => (int)id)], actual);
        using var reference = OnnxRun.Open(new DecoderGraph(weights.Architecture).ToBytes(weights));
        OnnxRun.RelativeDifference(actual, OnnxRun.Logits(reference, weights.Architecture, Ids, 1))
            .ShouldBeInRange(1e-5, ExportPrecision.Half.Tolerance().RelativeLogits, family);
        File.ReadAllText(folder.File("config.json")).ShouldContain("\"kv_cache_dtype\": {\n      \"fp16\": \"float16\"");
    }

    [Fact]
    public void A_bf16_folder_says_on_what_it_runs_and_a_cpu_refuses_it_with_words()
    {
        var weights = TinyModels.Weights(TinyModels.Qwen3);
        using var folder = new TemporaryFolder();
        ModelPackage.Write(folder.Path, weights, TinyModels.Tokenizer(weights.Architecture.VocabularySize),
            new PackageDescription { Name = "tiny" }, new() { Precision = ExportPrecision.BFloat16 });
        string card = File.ReadAllText(folder.File("README.md"));
        card.ShouldContain("It runs on CUDA devices; a CPU cannot compute it.");
        card.ShouldNotContain("- transformers.js");
        card.ShouldContain("| transformers.js 4.3, browser (WASM) | no: it has no bf16 |");
        Should.NotThrow(() => PackageCheck.Run(folder.Path, ExportPrecision.BFloat16));
        Should.Throw<InvalidDataException>(() => OnnxTokenModel.Load(folder.Path)).Message.ShouldContain("model_bf16.onnx");
        Should.Throw<InvalidDataException>(() => GenAITokenModel.Load(folder.Path)).Message.ShouldContain("bfloat16");
    }

    private static double Difference(byte[] graph, WeightSet weights)
    {
        using var first = OnnxRun.Open(graph);
        using var second = OnnxRun.Open(new DecoderGraph(weights.Architecture).ToBytes(weights));
        return OnnxRun.RelativeDifference(
            OnnxRun.Logits(first, weights.Architecture, Ids, 1), OnnxRun.Logits(second, weights.Architecture, Ids, 1));
    }
}
