using Distill.Architecture;
using Distill.Export.Package;
using Distill.Export.Quantization;
using Distill.Export.Tests.Support;

namespace Distill.Export.Tests.Quantization;

public sealed class BitPlanTests
{
    private static readonly DecoderArchitecture Shape = TinyModels.Qwen3 with { HiddenSize = 64, IntermediateSize = 192, Layers = 3 };

    private static readonly BlockLayout Body = new(4, 32);

    [Fact]
    public void What_gains_most_by_a_byte_gets_8_bits_until_the_size_is_reached()
    {
        string down = ParameterMap.Layer(1, "mlp.down_proj.weight"), key = ParameterMap.Layer(2, "self_attn.k_proj.weight");
        var gains = new Dictionary<string, double> { [down] = 3, [key] = 1, [ParameterMap.Layer(0, "mlp.up_proj.weight")] = 0.1 };
        long even = BitPlan.Even(Shape, Body).Bytes;
        // 8 bits take 5376 bytes more for the one operator and 3584 for the other.
        var plan = BitPlan.Within(Shape, Body, gains, even + 8960);
        plan[down].Bits.ShouldBe(8);
        plan[key].Bits.ShouldBe(8);
        plan[ParameterMap.Layer(2, "self_attn.q_proj.weight")].ShouldBe(plan[key]); // one operator reads both
        plan[ParameterMap.Layer(0, "mlp.up_proj.weight")].Bits.ShouldBe(4);
        plan.Bytes.ShouldBeInRange(even + 1, even + 8960);
        plan.Widened(Shape).ShouldBe(2);
    }

    [Fact]
    public void A_size_without_limits_gives_8_bits_to_all_and_too_small_a_one_says_the_least()
    {
        var wide = BitPlan.Within(Shape, Body, new Dictionary<string, double>(), long.MaxValue);
        ParameterMap.For(Shape).Where(parameter => parameter.Shape.Count == 2).ShouldAllBe(parameter => wide[parameter.Name].Bits == 8);
        Should.Throw<InvalidDataException>(() => BitPlan.Within(Shape, Body, new Dictionary<string, double>(), 1000))
            .Message.ShouldContain("4 bits throughout");
        // Before that, the tables give up their 8 bits.
        var narrow = BitPlan.Within(Shape, Body, new Dictionary<string, double>(), BitPlan.Even(Shape, Body).Bytes - 1);
        narrow[ParameterMap.Embedding].Bits.ShouldBe(4);
    }

    [Theory]
    [InlineData("qwen3")]
    [InlineData("llama")]
    public void The_files_stay_within_the_size_and_gain_by_it(string family)
    {
        var weights = TinyModels.Weights(TinyModels.Family(family) with { HiddenSize = 64, IntermediateSize = 192 });
        long even = ExportedSize.Besides(weights.Architecture) + BitPlan.Even(weights.Architecture, Body).Bytes;
        var plain = Calibrate(weights, null);
        var mixed = Calibrate(weights, even + 9000);
        plain.Widened.ShouldBe(0);
        mixed.Widened.ShouldBeInRange(1, mixed.Operators - 1);
        long bytes = BytesOf(weights, mixed);
        bytes.ShouldBeLessThanOrEqualTo(even + 9000);
        bytes.ShouldBeGreaterThan(BytesOf(weights, plain));
    }

    [Fact]
    public void The_one_matrix_that_rounding_changes_is_the_one_that_would_gain()
    {
        // Every other projection holds nothing but multiples of its scales already.
        string changed = ParameterMap.Layer(1, "mlp.down_proj.weight");
        var clean = TinyModels.Weights(Shape);
        var weights = new WeightSet(Shape, ParameterMap.For(Shape).Select(parameter =>
        {
            float[] values = clean[parameter.Name].ToArray();
            if (parameter.Name.EndsWith("_proj.weight", StringComparison.Ordinal) && parameter.Name != changed)
                QuantizedMatrix.Nearest(values, Body, (int)parameter.Shape[1]).Dequantize(values);
            return KeyValuePair.Create(parameter.Name, (ReadOnlyMemory<float>)values);
        }));
        var gains = new RoundingGain(weights, threads: 1).Measure(Body, Texts);
        gains.Count.ShouldBe(7 * Shape.Layers);
        gains[changed].ShouldBeGreaterThan(0);
        gains.Where(pair => pair.Key != changed).ShouldAllBe(pair => pair.Value == 0);
    }

    private static IReadOnlyList<IReadOnlyList<int>> Texts
    {
        get
        {
            var random = new Random(4);
            return [.. Enumerable.Range(0, 12).Select(_ => Enumerable.Range(0, 24).Select(_ => random.Next(48)).ToArray())];
        }
    }

    private static CalibrationResult Calibrate(WeightSet weights, long? most) =>
        new ModelCalibration(weights, new() { Precision = ExportPrecision.Int4, Texts = Texts, MaxBytes = most, Threads = 1 }).Run();

    private static long BytesOf(WeightSet weights, CalibrationResult result)
    {
        using var folder = new TemporaryFolder();
        ModelPackage.Write(folder.Path, weights, TinyModels.Tokenizer(weights.Architecture.VocabularySize), new() { Name = "tiny" },
            new() { Precision = ExportPrecision.Int4, Quantization = result.Quantization });
        PackageCheck.Run(folder.Path, ExportPrecision.Int4);
        return Directory.EnumerateFiles(folder.File("onnx")).Sum(file => new FileInfo(file).Length);
    }
}
