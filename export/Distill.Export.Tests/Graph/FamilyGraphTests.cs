using Distill.Architecture;
using Distill.Export.Package;
using Distill.Export.Tests.Support;
using Distill.Generation.Onnx;

namespace Distill.Export.Tests.Graph;

/// <summary>Graphs of every family in every precision, without golden values.</summary>
public sealed class FamilyGraphTests
{
    public static TheoryData<string, ExportPrecision> Cases
    {
        get
        {
            var rows = new TheoryData<string, ExportPrecision>();
            foreach (string family in TinyModels.Families)
                foreach (var precision in Enum.GetValues<ExportPrecision>()) rows.Add(family, precision);
            return rows;
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public void A_package_opens_decodes_through_its_cache_and_its_configuration_is_true(string family, ExportPrecision precision)
    {
        var a = TinyModels.Family(family);
        using var folder = new TemporaryFolder();
        ModelPackage.Write(folder.Path, TinyModels.Weights(a), TinyModels.Tokenizer(a.VocabularySize),
            new PackageDescription { Name = family }, new() { Precision = precision });
        Should.NotThrow(() => PackageCheck.Run(folder.Path, precision));
        DecoderConfigJson.Read(folder.File("config.json")).ShouldBe(a);
        string card = File.ReadAllText(folder.File("README.md"));
        card.Contains("window of 5", StringComparison.Ordinal).ShouldBe(a.SlidingWindow is not null);
        card.Contains("scaled by", StringComparison.Ordinal).ShouldBe(a.RotaryScaling is not DefaultRotary);
        card.Contains("but in layers 1,", StringComparison.Ordinal).ShouldBe(a.PlainLayers.Count > 0);
        ModelFolder.Open(folder.Path).Configuration.Type.ShouldBe(a.ModelType);
    }

    [Theory]
    [InlineData("llama-bias")]
    [InlineData("mistral")]
    public void Every_weight_of_a_family_matters(string family)
    {
        var a = TinyModels.Family(family);
        long[] ids = [3, 1, 4, 1, 5, 9, 2, 6];
        var (graph, original) = (new DecoderGraph(a), TinyModels.Weights(a));
        using var session = OnnxRun.Open(graph.ToBytes(original));
        float[] before = OnnxRun.Logits(session, a, ids, 1);
        foreach (var changed in ParameterMap.For(a))
        {
            var values = ParameterMap.For(a).ToDictionary(p => p.Name, p => original[p.Name].ToArray());
            for (int i = 0; i < values[changed.Name].Length; i++) values[changed.Name][i] *= i % 2 == 0 ? 1.5f : 0.5f;
            using var other = OnnxRun.Open(graph.ToBytes(new WeightSet(a, values)));
            OnnxRun.RelativeDifference(OnnxRun.Logits(other, a, ids, 1), before).ShouldBeGreaterThan(1e-4, changed.Name);
        }
    }

    [Fact]
    public void A_decoder_without_any_rotary_layer_carries_no_tables()
    {
        var a = TinyModels.Family("smollm3") with { PlainLayers = LayerSet.From(0, 2), MaxPositions = 1 << 16 };
        new DecoderGraph(a).ToBytes(TinyModels.Weights(a)).Length.ShouldBeLessThan(1 << 18);
    }
}
