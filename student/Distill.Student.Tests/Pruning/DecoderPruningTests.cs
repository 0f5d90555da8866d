using Distill.Architecture;
using Distill.Student.Fused;
using Distill.Student.Model;
using Distill.Student.Pruning;
using Distill.Student.Supervised;
using Distill.Student.Training;
using static TorchSharp.torch;

namespace Distill.Student.Tests.Pruning;

public sealed class DecoderPruningTests
{
    // Everything a layer can have: biases, QK-norm, a layer without rotary embedding, one with a window.
    private static readonly DecoderArchitecture Rich = TinyDecoder.Architecture(tied: false) with
    {
        Layers = 4,
        AttentionBias = true,
        AttentionOutputBias = true,
        FeedForwardBias = true,
        PlainLayers = new LayerSet([2]),
        WindowLayers = new LayerSet([1]),
        SlidingWindow = 8,
    };

    [Fact]
    public void Pruning_nothing_is_the_identity()
    {
        using var parameters = TinyDecoder.Parameters(Rich);
        var weights = parameters.ToWeightSet();
        var pruned = DecoderPruning.Prune(weights, new PruningOptions(4, 80, 2), TinyDecoder.Sequences(Rich, 20, 11));
        pruned.Architecture.ShouldBe(Rich);
        foreach (var spec in ParameterMap.For(Rich)) pruned[spec.Name].Span.SequenceEqual(weights[spec.Name].Span).ShouldBeTrue(spec.Name);
    }

    // Layers, channels and heads that write nothing to the residual stream may go without any trace.
    [Fact]
    public void What_does_nothing_is_what_goes()
    {
        var architecture = Rich with { AttentionOutputBias = false, FeedForwardBias = false };
        using var parameters = TinyDecoder.Parameters(architecture);
        foreach (string part in (string[])["self_attn.o_proj.weight", "mlp.down_proj.weight"])
            parameters.SpanOf(ParameterMap.Layer(1, part)).Clear();
        for (int layer = 0; layer < 4; layer++)
        {
            ClearColumns(
                parameters, ParameterMap.Layer(layer, "mlp.down_proj.weight"), 80,
                [.. Enumerable.Range(0, 80).Where(channel => channel % 5 == layer)]);
            ClearColumns(parameters, ParameterMap.Layer(layer, "self_attn.o_proj.weight"), 64, [.. Enumerable.Range(layer % 2 * 32, 32)]);
        }

        var sample = TinyDecoder.Sequences(architecture, 20, 11);
        var pruned = DecoderPruning.Prune(parameters.ToWeightSet(), new PruningOptions(3, 64, 1), sample);
        pruned.Architecture.ShouldBe(
            architecture with { Layers = 3, IntermediateSize = 64, Heads = 2, KeyValueHeads = 1, PlainLayers = new LayerSet([1]),
            WindowLayers = LayerSet.None, SlidingWindow = null });
        using var smaller = new FlatParameters(pruned.Architecture);
        smaller.Load(pruned);
        float[] before = Logits(parameters, sample[0]), after = Logits(smaller, sample[0]);
        before.Zip(after, (a, b) => Math.Abs(a - b)).Max().ShouldBeLessThan(1e-4f);
    }

    [Fact]
    public void The_last_layer_counts_by_what_it_changes()
    {
        var architecture = TinyDecoder.Architecture() with { Layers = 3 };
        using var parameters = TinyDecoder.Parameters(architecture);
        foreach (string part in (string[])["self_attn.o_proj.weight", "mlp.down_proj.weight"])
            parameters.SpanOf(ParameterMap.Layer(2, part)).Clear();
        var activity = DecoderPruning.Measure(parameters, TinyDecoder.Sequences(architecture, 20, 11));
        activity[2].Change.ShouldBe(0, 1e-5);
        activity[0].Change.ShouldBeGreaterThan(1e-3);
        activity[2].Channels.ShouldAllBe(channel => channel == 0);
        activity[2].Heads.ShouldAllBe(head => head == 0);
    }

    [Fact]
    public void A_pruned_model_is_a_checkpoint_that_recovers_by_training()
    {
        var architecture = TinyDecoder.Architecture() with { Layers = 4 };
        using var parameters = TinyDecoder.Parameters(architecture);
        var examples = TinyDecoder.Sequences(architecture, 12, 15, 20, 25);
        var options = new SupervisedOptions
        {
            Epochs = 60,
            BatchTokens = 1000,
            Training = new TrainingOptions { LearningRate = 3e-3, Threads = 1, MicroBatchTokens = 128, Precision = MatmulPrecision.Fp32 },
        };
        double learned = Train(parameters, examples, options)[^1];
        string folder = Directory.CreateTempSubdirectory("distill-pruned").FullName;
        Checkpoint.Save(folder, DecoderPruning.Prune(parameters.ToWeightSet(), new PruningOptions(2, 48, 1), examples), tokenizer: null);
        var checkpoint = Checkpoint.Open(folder);
        checkpoint.Architecture.ParameterCount.ShouldBeLessThan(architecture.ParameterCount / 2);
        using var smaller = new FlatParameters(checkpoint.Architecture);
        smaller.Load(checkpoint.LoadWeights());
        var losses = Train(smaller, examples, options);
        losses[0].ShouldBeGreaterThan(2 * learned);
        losses[^1].ShouldBeLessThan(losses[0] / 2);
    }

    [Fact]
    public void A_size_that_the_base_does_not_have_is_refused_with_every_fault()
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        var fault = Should.Throw<InvalidDataException>(
            () => DecoderPruning.Prune(
                parameters.ToWeightSet(), new PruningOptions(3, 0, 5), TinyDecoder.Sequences(parameters.Architecture, 9)));
        foreach (string part in (string[])["3 layers of 2", "0 feed-forward channels of 80", "5 key-value heads of 2"])
            fault.Message.ShouldContain(part);
        Should.Throw<ArgumentException>(
            () => DecoderPruning.Prune(parameters.ToWeightSet(), new PruningOptions(1), new List<TrainingSequence>()));
    }

    private static void ClearColumns(FlatParameters parameters, string name, int width, int[] columns)
    {
        var weight = parameters.SpanOf(name);
        for (int row = 0; row < weight.Length / width; row++)
            foreach (int column in columns) weight[(row * width) + column] = 0;
    }

    private static float[] Logits(FlatParameters parameters, TrainingSequence sequence)
    {
        using var scope = NewDisposeScope();
        using var decoder = new TorchDecoder(parameters, differentiable: false);
        return [.. decoder.Forward(tensor(sequence.Tokens.Select(id => (long)id).ToArray()).unsqueeze(0)).data<float>()];
    }

    private static List<double> Train(FlatParameters parameters, List<TrainingSequence> examples, SupervisedOptions options)
    {
        var losses = new List<double>();
        SupervisedFineTuning.Run(
            parameters, examples, options, TimeProvider.System, null,
            report => losses.Add(report.Loss), TestContext.Current.CancellationToken);
        return losses;
    }
}
