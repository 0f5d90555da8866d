using Distill.Architecture;
using Distill.Export.Tests.Support;
using Microsoft.ML.OnnxRuntime;

namespace Distill.Export.Tests.Graph;

public sealed class DecoderGraphTests
{
    private static readonly DecoderArchitecture A = TinyModels.Qwen3;

    [Fact]
    public void Chunked_prefill_and_single_steps_give_the_logits_of_one_run()
    {
        using var session = OnnxRun.Open(new DecoderGraph(A).ToBytes(TinyModels.Weights(A)));
        long[] ids = [.. Enumerable.Range(0, 20).Select(i => (long)(i * 7 % A.VocabularySize))];
        float[] whole = OnnxRun.Logits(session, A, ids, 1);
        var state = new Dictionary<string, float[]>();
        var pieces = new List<float>();
        foreach (var range in new[] { 0..7, 7..12, 12..13, 13..14, 14..20 })
            pieces.AddRange(OnnxRun.Step(session, A, ids[range], 1, state));
        OnnxRun.RelativeDifference(pieces.ToArray(), whole).ShouldBeLessThan(1e-5);
    }

    [Fact]
    public void The_file_and_the_bytes_hold_the_same_model()
    {
        using var folder = new TemporaryFolder();
        var (graph, weights) = (new DecoderGraph(A), TinyModels.Weights(A));
        graph.Write(folder.File("model.onnx"), weights).ShouldBe(["model.onnx_data"]);
        using var fromFile = OnnxRun.Open(folder.File("model.onnx"));
        using var fromBytes = OnnxRun.Open(graph.ToBytes(weights));
        long[] ids = [3, 1, 4, 1, 5, 9];
        OnnxRun.Logits(fromFile, A, ids, 2).ShouldBe(OnnxRun.Logits(fromBytes, A, ids, 2));
    }

    [Fact]
    public void The_same_weights_give_the_same_bytes_and_other_weights_other_logits()
    {
        var graph = new DecoderGraph(A);
        graph.ToBytes(TinyModels.Weights(A, 1)).ShouldBe(new DecoderGraph(A).ToBytes(TinyModels.Weights(A, 1)));
        using var one = OnnxRun.Open(graph.ToBytes(TinyModels.Weights(A, 1)));
        using var two = OnnxRun.Open(graph.ToBytes(TinyModels.Weights(A, 2)));
        long[] ids = [3, 1, 4];
        OnnxRun.RelativeDifference(OnnxRun.Logits(one, A, ids, 1), OnnxRun.Logits(two, A, ids, 1)).ShouldBeGreaterThan(0.1);
    }

    [Fact]
    public void Every_weight_matters()
    {
        long[] ids = [3, 1, 4, 1, 5, 9, 2, 6];
        var graph = new DecoderGraph(A);
        var original = TinyModels.Weights(A);
        using var session = OnnxRun.Open(graph.ToBytes(original));
        float[] before = OnnxRun.Logits(session, A, ids, 1);
        foreach (var changed in ParameterMap.For(A))
        {
            var values = ParameterMap.For(A).ToDictionary(p => p.Name, p => original[p.Name].ToArray());
            for (int i = 0; i < values[changed.Name].Length; i++) values[changed.Name][i] *= i % 2 == 0 ? 1.5f : 0.5f;
            using var other = OnnxRun.Open(graph.ToBytes(new WeightSet(A, values)));
            OnnxRun.RelativeDifference(OnnxRun.Logits(other, A, ids, 1), before).ShouldBeGreaterThan(1e-3, changed.Name);
        }
    }

    [Fact]
    public void Names_and_shapes_are_those_that_GenAI_and_transformers_js_expect()
    {
        using var session = OnnxRun.Open(new DecoderGraph(A).ToBytes(TinyModels.Weights(A)));
        session.InputNames.ShouldBe(["input_ids", "attention_mask", "past_key_values.0.key", "past_key_values.0.value",
            "past_key_values.1.key", "past_key_values.1.value"]);
        session.OutputNames.ShouldBe(["logits", "present.0.key", "present.0.value", "present.1.key", "present.1.value"]);
        Shape(session.InputMetadata["input_ids"]).ShouldBe("batch_size sequence_length");
        Shape(session.InputMetadata["attention_mask"]).ShouldBe("batch_size total_sequence_length");
        Shape(session.InputMetadata["past_key_values.1.value"]).ShouldBe("batch_size 2 past_sequence_length 16");
        Shape(session.OutputMetadata["present.0.key"]).ShouldBe("batch_size 2 total_sequence_length 16");
        Shape(session.OutputMetadata["logits"]).ShouldBe("batch_size sequence_length 50");
    }

    [Fact]
    public void A_tied_embedding_is_stored_once()
    {
        long values = A.ParameterCount + (2L * A.MaxPositions * A.HeadSize / 2);
        new DecoderGraph(A).ToBytes(TinyModels.Weights(A)).LongLength.ShouldBeLessThan((values * 4) + 12_000);
    }

    [Fact]
    public void A_head_size_that_the_kernel_cannot_rotate_is_refused() =>
        Should.Throw<InvalidDataException>(() => new DecoderGraph(A with { HeadSize = 24 })).Message.ShouldContain("head_dim 24");

    [Fact]
    public void Weights_of_another_architecture_are_refused() =>
        Should.Throw<InvalidDataException>(() => new DecoderGraph(A with { RopeTheta = 5 }).ToBytes(TinyModels.Weights(A)));

    private static string Shape(NodeMetadata value) =>
        string.Join(" ", value.Dimensions.Zip(value.SymbolicDimensions, (size, symbol) => size >= 0 ? size.ToString() : symbol));
}
