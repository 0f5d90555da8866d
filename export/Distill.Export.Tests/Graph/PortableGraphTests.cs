using Distill.Architecture;
using Distill.Export.Formats;
using Distill.Export.Graph;
using Distill.Export.Package;
using Distill.Export.Tests.Support;
using Distill.Generation.Onnx;
using Microsoft.ML.OnnxRuntime;

namespace Distill.Export.Tests.Graph;

/// <summary>Graphs of standard operators: nothing else in them, the numbers of the usual graphs, and rows padded on either side.</summary>
public sealed class PortableGraphTests
{
    private const double Tolerance = 2e-5;

    private static readonly ExportPrecision[] s_precisions =
        [ExportPrecision.Single, ExportPrecision.Half, ExportPrecision.Int8, ExportPrecision.Int4];

    public static TheoryData<string, ExportPrecision> Graphs =>
        [.. from family in TinyModels.Families from precision in s_precisions select (family, precision)];

    public static TheoryData<string> Families => [.. TinyModels.Families];

    // Operators of ai.onnx 21, as its documentation lists them.
    [Theory, MemberData(nameof(Graphs))]
    public void Nothing_but_operators_of_the_standard_is_in_it(string family, ExportPrecision precision)
    {
        string[] standard =
        [
            "Add", "And", "Cast", "Concat", "CumSum", "DequantizeLinear", "Div", "Expand", "Gather", "LessOrEqual", "Less", "MatMul", "Max",
            "Mul", "Pow", "ReduceMean", "Reshape", "Shape", "Sigmoid", "Slice", "Softmax", "Split", "Sqrt", "Sub", "Transpose", "Unsqueeze",
            "Where",
        ];
        var model = DecoderGraphBuilder.Build(TinyModels.Family(family), WeightFormat.Of(Portable(precision)));
        model.Nodes.ShouldAllBe(node => node.Domain.Length == 0 && standard.Contains(node.Operator));
        var a = TinyModels.Family(family);
        byte[] bytes = new DecoderGraph(a, Portable(precision)).ToBytes(TinyModels.Weights(a));
        System.Text.Encoding.Latin1.GetString(bytes).ShouldNotContain("com.microsoft");
    }

    [Theory, MemberData(nameof(Graphs))]
    public void Logits_are_those_of_the_usual_graph(string family, ExportPrecision precision)
    {
        var weights = Wide(family);
        var a = weights.Architecture;
        long[] ids = [.. Enumerable.Range(0, 40).Select(i => (long)(i * 7 % a.VocabularySize))];
        // Exact products in both: what rounds activations rounds them by the order of the operators.
        WeightFormat usual = precision switch
        {
            ExportPrecision.Int8 => new BlockFormat(8, accuracyLevel: 0),
            ExportPrecision.Int4 => new BlockFormat(4, accuracyLevel: 0),
            _ => WeightFormat.Of(new() { Precision = precision }),
        };
        if (precision == ExportPrecision.Half)
        {
            using var folder = Written(weights, Portable(precision));
            Should.NotThrow(() => PackageCheck.Run(folder.Path, precision));
            return;
        }

        using var portable = Open(new DecoderGraph(a, Portable(precision)).ToBytes(weights));
        using var reference = Open(new DecoderGraph(a, usual).ToBytes(weights));
        OnnxRun.RelativeDifference(OnnxRun.Logits(portable, a, ids, 2), OnnxRun.Logits(reference, a, ids, 2)).ShouldBeLessThan(Tolerance);
    }

    [Theory, MemberData(nameof(Families))]
    public void Rows_padded_on_the_left_or_on_the_right_have_the_logits_of_rows_alone(string family)
    {
        var weights = Wide(family);
        var a = weights.Architecture;
        using var session = Open(new DecoderGraph(a, Portable(ExportPrecision.Single)).ToBytes(weights));
        long[] row = [3, 1, 4, 1, 5, 9, 2, 6, 5], other = [.. Enumerable.Range(0, 13).Select(i => (long)(i * 5 % a.VocabularySize))];
        float[] alone = OnnxRun.Logits(session, a, row, 1);
        int width = other.Length, missing = width - row.Length, vocabulary = a.VocabularySize;
        long[] padding = new long[missing], none = new long[missing];
        long[] ones = [.. Enumerable.Repeat(1L, row.Length)], all = [.. Enumerable.Repeat(1L, width)];
        float[] left = Logits(session, a, [.. padding, .. row, .. other], [.. none, .. ones, .. all]);
        float[] right = Logits(session, a, [.. row, .. padding, .. other], [.. ones, .. none, .. all]);
        OnnxRun.RelativeDifference(left.AsSpan(missing * vocabulary, alone.Length), alone).ShouldBeLessThan(Tolerance);
        OnnxRun.RelativeDifference(right.AsSpan(0, alone.Length), alone).ShouldBeLessThan(Tolerance);
        // The row beside it has no padding, and what is padding is numbers.
        float[] beside = OnnxRun.Logits(session, a, other, 1);
        OnnxRun.RelativeDifference(left.AsSpan(width * vocabulary), beside).ShouldBeLessThan(Tolerance);
        left.ShouldAllBe(logit => float.IsFinite(logit));
    }

    [Theory, MemberData(nameof(Graphs))]
    public void Our_engine_opens_the_folder_and_its_cache_is_sound(string family, ExportPrecision precision)
    {
        using var folder = Written(Wide(family), Portable(precision));
        Should.NotThrow(() => PackageCheck.Run(folder.Path, precision));
    }

    [Fact]
    public void A_head_size_that_the_fused_operator_refuses_is_no_hindrance()
    {
        var a = TinyModels.Qwen3 with { HeadSize = 24 };
        Should.Throw<InvalidDataException>(() => new DecoderGraph(a)).Message.ShouldContain("multiple of 16");
        using var session = Open(new DecoderGraph(a, Portable(ExportPrecision.Single)).ToBytes(TinyModels.Weights(a)));
        OnnxRun.Logits(session, a, [3, 1, 4], 1).ShouldAllBe(logit => float.IsFinite(logit));
    }

    [Fact]
    public void What_cannot_be_written_so_is_refused_with_the_reason()
    {
        Should.Throw<InvalidDataException>(() => new DecoderGraph(TinyModels.Qwen3, Portable(ExportPrecision.BFloat16)))
            .Message.ShouldContain("bf16");
        var odd = TinyModels.Qwen3 with { IntermediateSize = 49 };
        Should.Throw<InvalidDataException>(() => new DecoderGraph(odd, Portable(ExportPrecision.Int4)))
            .Message.ShouldContain("even number");
    }

    private static ExportOptions Portable(ExportPrecision precision) => new() { Precision = precision, Portable = true };

    private static WeightSet Wide(string family) =>
        TinyModels.Weights(TinyModels.Family(family) with { HiddenSize = 64, IntermediateSize = 96 });

    private static TemporaryFolder Written(WeightSet weights, ExportOptions options)
    {
        var folder = new TemporaryFolder();
        ModelPackage.Write(folder.Path, weights, TinyModels.Tokenizer(weights.Architecture.VocabularySize),
            new PackageDescription { Name = "tiny" }, options);
        return folder;
    }

    private static InferenceSession Open(byte[] model)
    {
        _ = RuntimeTelemetry.Runtime;
        using var options = new SessionOptions { IntraOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        options.AddSessionConfigEntry("session.qdq_matmulnbits_accuracy_level", "0");
        return new InferenceSession(model, options);
    }

    // Two rows without a cache, [2, time, vocab].
    private static float[] Logits(InferenceSession session, DecoderArchitecture a, long[] ids, long[] mask)
    {
        var inputs = new Dictionary<string, OrtValue>
        {
            ["input_ids"] = OrtValue.CreateTensorValueFromMemory(ids, [2, ids.Length / 2]),
            ["attention_mask"] = OrtValue.CreateTensorValueFromMemory(mask, [2, mask.Length / 2]),
        };
        foreach (string name in session.InputNames.Where(name => name.StartsWith("past", StringComparison.Ordinal)))
            inputs[name] = OrtValue.CreateTensorValueFromMemory(Array.Empty<float>(), [2, a.KeyValueHeads, 0, a.HeadSize]);
        using var run = new RunOptions();
        using var outputs = session.Run(run, inputs, ["logits"]);
        foreach (var input in inputs.Values) input.Dispose();
        return outputs[0].GetTensorDataAsSpan<float>().ToArray();
    }
}
