using System.Runtime.InteropServices;
using Distill.Architecture;
using Distill.Export.Package;
using Distill.Export.Parity;
using Distill.Export.Parity.Localisation;
using Distill.Export.Quantization;
using Distill.Export.Tests.Support;
using Distill.Generation.Onnx;

namespace Distill.Export.Tests.Parity;

/// <summary>Faults put into single tensors, and whether the search names the tensor.</summary>
public sealed class FaultFinderTests
{
    private static readonly int[] Sequence = [.. Enumerable.Range(0, 50).Select(i => (i * 7) % 50)];

    public static TheoryData<string> Families => [.. TinyModels.Families];

    // Biases, query-key norms, windows, a tied head and layers without rotary among them.
    [Theory]
    [InlineData("qwen3")]
    [InlineData("llama-bias")]
    [InlineData("qwen2-window")]
    [InlineData("smollm3")]
    public void A_changed_number_in_any_tensor_of_an_exact_export_is_found_where_it_is(string family)
    {
        var a = Deep(family);
        using var folder = Export(a, ExportPrecision.Single);
        using var finder = new FaultFinder(ModelFolder.Open(folder.Path), a);
        ParameterMap.For(a).Count.ShouldBeGreaterThan(20);
        foreach (var parameter in ParameterMap.For(a))
        {
            using var reference = new TorchReferenceModel(Changed(a, parameter.Name, (int)parameter.Count / 2));
            var search = finder.Find(reference, Sequence);
            search.Searched.ShouldBeTrue();
            search.Found.ShouldNotBeEmpty(parameter.Name);
            NamesOf(search.Found[0]).ShouldContain(Weight(parameter.Name), $"{family}, {parameter.Name}: {search.Words}");
            // What lies behind it is right given what goes in; a tied embedding is two places.
            search.Found.ShouldAllBe(fault => NamesOf(fault).Contains(Weight(parameter.Name)), search.Words);
        }
    }

    [Theory, MemberData(nameof(Families))]
    public void Nothing_is_found_where_nothing_is_wrong(string family)
    {
        foreach (var precision in Enum.GetValues<ExportPrecision>().Where(precision => precision.RunsOnProcessor()))
        {
            using var folder = Export(Deep(family), precision);
            using var reference = new TorchReferenceModel(TinyModels.Weights(Deep(family)));
            var search = Find(folder, reference, family);
            search.Searched.ShouldBeTrue();
            search.Found.ShouldBeEmpty($"{family}, {precision}: {search.Words}");
            search.Words.ShouldContain("No layer stands out");
        }
    }

    // By operators of the standard alone: rounded too, though its matrices are not unpacked.
    [Theory]
    [InlineData(ExportPrecision.Int8)]
    [InlineData(ExportPrecision.Int4)]
    public void A_portable_graph_is_searched_as_the_rounded_one_it_is(ExportPrecision precision)
    {
        var a = Deep("qwen3");
        using var folder = Export(a, new ExportOptions { Precision = precision, Portable = true });
        using var same = new TorchReferenceModel(TinyModels.Weights(a));
        var healthy = Find(folder, same);
        healthy.Found.ShouldBeEmpty(healthy.Words);
        healthy.Words.ShouldStartWith("No layer stands out: every step is as far");
    }

    // Codes that were chosen over texts are far from the nearest, and none the worse for it.
    [Fact]
    public void Chosen_codes_are_no_damage_and_damage_to_them_is_found()
    {
        var a = Deep("qwen3");
        var weights = TinyModels.Weights(a);
        var random = new Random(4);
        int[][] texts = [.. Enumerable.Range(0, 12).Select(_ => Enumerable.Range(0, 24).Select(_ => random.Next(48)).ToArray())];
        var result = new ModelCalibration(weights, new() { Precision = ExportPrecision.Int4, Texts = texts, Threads = 1 }).Run();
        using var folder = Export(a, new ExportOptions { Precision = ExportPrecision.Int4, Quantization = result.Quantization });
        using var reference = new TorchReferenceModel(weights);
        var healthy = Find(folder, reference);
        healthy.Found.ShouldBeEmpty(healthy.Words);

        string path = folder.File($"onnx/{ExportPrecision.Int4.GraphFile()}"), name = "layers.2.mlp.down_proj.weight_scales";
        var scales = Constants(path)[name];
        float[] wrong = [.. MemoryMarshal.Cast<byte, float>(scales.Bytes).ToArray().Select(scale => 4 * scale)];
        Write(scales, 0, MemoryMarshal.AsBytes(wrong.AsSpan()));
        var damaged = Find(folder, reference);
        damaged.Found.ShouldHaveSingleItem().Parameter.ShouldBe("model.layers.2.mlp.down_proj.weight");
    }

    // Matrices are damaged in the file, one block of one row: the scale doubled, or the codes written over.
    [Theory]
    [InlineData(ExportPrecision.Int8, true)]
    [InlineData(ExportPrecision.Int8, false)]
    [InlineData(ExportPrecision.Int4, true)]
    [InlineData(ExportPrecision.Int4, false)]
    public void A_damaged_block_of_any_rounded_matrix_is_found_where_it_is(ExportPrecision precision, bool scales)
    {
        var a = Deep("qwen3");
        using var folder = Export(a, precision);
        using var reference = new TorchReferenceModel(TinyModels.Weights(a));
        string path = folder.File($"onnx/{precision.GraphFile()}");
        var constants = Constants(path).Where(pair => pair.Key.EndsWith(scales ? "_scales" : $"_q{Bits(pair.Key)}")).ToList();
        constants.Count.ShouldBe((a.Layers * 5) + 1);
        foreach (var (name, tensor) in constants)
        {
            Damage(tensor, scales);
            var search = Find(folder, reference);
            Write(tensor, 0, tensor.Bytes);
            search.Found.ShouldNotBeEmpty($"{precision}, {name}");
            search.Found.ShouldAllBe(fault => IsIn(fault, name), $"{name}: {search.Words}");
        }
    }

    [Fact]
    public void A_graph_of_other_names_is_not_searched_and_says_so()
    {
        var a = Deep("qwen3");
        using var folder = Export(a, ExportPrecision.Single);
        string path = folder.File("onnx/model.onnx");
        byte[] bytes = File.ReadAllBytes(path);
        Replace(bytes, "layers."u8, "stages."u8);
        Replace(bytes, "embedded"u8, "embodied"u8);
        Replace(bytes, "final.normed"u8, "finis.normed"u8);
        File.WriteAllBytes(path, bytes);
        using var reference = new TorchReferenceModel(TinyModels.Weights(a));
        var search = Find(folder, reference);
        search.Searched.ShouldBeFalse();
        search.Words.ShouldContain("not searched");
    }

    private static FaultSearch Find(TemporaryFolder folder, TorchReferenceModel reference, string family = "qwen3")
    {
        using var finder = new FaultFinder(ModelFolder.Open(folder.Path), Deep(family));
        return finder.Find(reference, Sequence);
    }

    private static DecoderArchitecture Deep(string family)
    {
        var a = TinyModels.Family(family) with { Layers = 4, HiddenSize = 64, IntermediateSize = 96 };
        return family == "mistral" ? a with { WindowLayers = LayerSet.From(0, 4) } : a;
    }

    private static TemporaryFolder Export(DecoderArchitecture a, ExportPrecision precision) =>
        Export(a, new ExportOptions { Precision = precision });

    private static TemporaryFolder Export(DecoderArchitecture a, ExportOptions options)
    {
        var folder = new TemporaryFolder();
        ModelPackage.Write(folder.Path, TinyModels.Weights(a), TinyModels.Tokenizer(a.VocabularySize),
            new PackageDescription { Name = "tiny" }, options);
        return folder;
    }

    private static WeightSet Changed(DecoderArchitecture a, string name, int index)
    {
        var weights = TinyModels.Weights(a);
        var values = ParameterMap.For(a).ToDictionary(p => p.Name, p => weights[p.Name].ToArray());
        values[name][index] += 0.25f;
        return new(a, values);
    }

    // A bias is found at its projection.
    private static string Weight(string parameter) => parameter.Replace(".bias", ".weight");

    private static string[] NamesOf(FaultLocation fault) => fault.Parameter is { } name ? [name] : [];

    private static bool IsIn(FaultLocation fault, string constant)
    {
        string name = constant.Replace("attention.qkv_proj", "qkv").Replace("attention.o_proj", "o_proj").Replace("mlp.", "");
        string step = fault.Step is "q_proj" or "k_proj" or "v_proj" ? "qkv" : fault.Step;
        return fault.Layer is { } layer ? name.StartsWith($"layers.{layer}.{step}.")
            : name.StartsWith("model.embed_tokens") || name.StartsWith("lm_head");
    }

    private static int Bits(string name) => name.EndsWith("_q8") ? 8 : 4;

    private static Dictionary<string, StoredTensor> Constants(string path)
    {
        using var stream = File.OpenRead(path);
        var graph = GraphOutline.Read(stream, path)!;
        var files = ExternalFiles.Of(Path.GetDirectoryName(path)!, graph)!;
        return graph.Initializers.ToDictionary(value => value.Name, value => StoredTensor.Read(stream, path, value.Piece, files)!);
    }

    // The block in the middle: its scale doubled, or its codes turned over.
    private static void Damage(StoredTensor tensor, bool scales)
    {
        int width = scales ? sizeof(float) : (int)tensor.Shape[^1], middle = tensor.Bytes.Length / width / 2 * width;
        Span<byte> block = tensor.Bytes.AsSpan(middle, width).ToArray();
        if (scales) BitConverter.TryWriteBytes(block, 2 * BitConverter.ToSingle(block)).ShouldBeTrue();
        else for (int i = 0; i < width; i++) block[i] = (byte)~block[i];
        Write(tensor, middle, block);
    }

    private static void Write(StoredTensor tensor, int at, ReadOnlySpan<byte> bytes)
    {
        using var stream = new FileStream(tensor.File, FileMode.Open, FileAccess.Write);
        stream.Position = tensor.Offset + at;
        stream.Write(bytes);
    }

    private static void Replace(byte[] bytes, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
    {
        for (int at; (at = bytes.AsSpan().IndexOf(from)) >= 0;) to.CopyTo(bytes.AsSpan(at));
    }
}
