using Distill.Student.Adapters;
using Distill.Student.Fused;
using Distill.Student.Model;
using Distill.Student.Supervised;
using Distill.Student.Training;
using static TorchSharp.torch;

namespace Distill.Student.Tests.Adapters;

/// <summary>Adapters beside frozen weights, in every form that these may have.</summary>
[Collection(nameof(CountedTensors))]
public sealed class AdapterWeightsTests
{
    private static readonly LowRankOptions Options = new(3, 6, LowRankOptions.AllTargets);

    // ∂A = s·Bᵀ·∂W and ∂B = s·∂W·Aᵀ, with ∂W of the merged weights by other passes.
    [Theory]
    [InlineData(false, "q_proj,down_proj")]
    [InlineData(true, "q_proj,k_proj,v_proj,o_proj,gate_proj,up_proj,down_proj")]
    public void Gradients_are_those_of_the_merged_weights_by_the_chain_rule(bool checkpointing, string targets)
    {
        using var scope = NewDisposeScope();
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture(), byTensors: true);
        using var adapters = Adapters(parameters, Options with { Targets = targets.Split(',') });
        var sequences = TinyDecoder.Sequences(parameters.Architecture, 5, 17, 33);
        var loss = new CrossEntropy(sequences.Sum(sequence => sequence.SupervisedCount));
        var options = Training with { ActivationCheckpointing = checkpointing };
        using var model = GradientModels.Create(parameters, adapters, FrozenForm.Float, options);
        var pass = model.Differentiate(sequences, loss);
        model.Gradient.numel().ShouldBe(adapters.Count);

        using var merged = adapters.Merged();
        using var whole = new FusedGradientModel(parameters, MatmulPrecision.Fp32, 1, 128);
        whole.Differentiate(sequences, loss).Loss.ShouldBe(pass.Loss, 1e-6);
        var expected = zeros_like(model.Gradient);
        foreach (var place in adapters.Places)
        {
            var slope = whole.Gradient.narrow(0, parameters.OffsetOf(place.Name), place.Out * place.In).view(place.Out, place.In);
            place.A(expected).copy_(place.B(adapters.Values).t().mm(slope).mul(adapters.Scale));
            place.B(expected).copy_(slope.mm(place.A(adapters.Values).t()).mul(adapters.Scale));
        }

        Vectors.RelativeDifference(model.Gradient.Host(), expected.Host()).ShouldBeLessThan(1e-5);
    }

    [Theory]
    [InlineData(FrozenForm.Int8, 0.005)]
    [InlineData(FrozenForm.Int4, 0.2)]
    public void Over_weights_in_fewer_bits_gradients_are_those_over_what_the_bits_stand_for(FrozenForm form, double off)
    {
        using var scope = NewDisposeScope();
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture(), byTensors: true);
        using var widened = TinyDecoder.Parameters(TinyDecoder.Architecture(), byTensors: true);
        foreach (var (name, _, spec) in widened.Places.Where(place => place.Name.EndsWith("_proj.weight", StringComparison.Ordinal)))
        {
            using var matrix = new BlockMatrix(
                parameters.ValuesOf(name).view([.. spec.Shape]), form == FrozenForm.Int8 ? 8 : 4, ScalarType.Float32, CPU);
            widened.ValuesOf(name).copy_(matrix.Values().reshape(-1));
        }

        Vectors.RelativeDifference(widened.Span, parameters.Span).ShouldBeInRange(off / 10, off);
        var sequences = TinyDecoder.Sequences(parameters.Architecture, 5, 17, 33);
        var loss = new CrossEntropy(sequences.Sum(sequence => sequence.SupervisedCount));
        using LowRankAdapters one = Adapters(parameters, Options), other = Adapters(widened, Options);
        using IGradientModel quantized = GradientModels.Create(parameters, one, form, Training),
            plain = GradientModels.Create(widened, other, FrozenForm.Float, Training);
        quantized.Differentiate(sequences, loss).Loss.ShouldBe(plain.Differentiate(sequences, loss).Loss, 1e-6);
        Vectors.RelativeDifference(quantized.Gradient.Host(), plain.Gradient.Host()).ShouldBeLessThan(1e-6);
    }

    [Theory]
    [InlineData(FrozenForm.Float, MatmulPrecision.Fp32)]
    [InlineData(FrozenForm.Float, MatmulPrecision.Mixed)]
    [InlineData(FrozenForm.Int8, MatmulPrecision.Fp32)]
    [InlineData(FrozenForm.Int4, MatmulPrecision.Mixed)]
    public void It_learns_and_the_merged_weights_are_what_was_learned(FrozenForm form, MatmulPrecision precision)
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture(), byTensors: true);
        float[] start = parameters.Span.ToArray();
        var examples = TinyDecoder.Sequences(parameters.Architecture, 12, 15, 20);
        var options = new SupervisedOptions
        {
            Epochs = 40,
            BatchTokens = 1000,
            LowRank = new LowRankOptions(4, 8, LowRankOptions.AllTargets) { Frozen = form },
            Training = Training with { LearningRate = 2e-2, Precision = precision },
        };
        var losses = new List<double>();
        SupervisedFineTuning.Run(
            parameters, examples, [], options, TimeProvider.System, null, step => losses.Add(step.Loss), CancellationToken.None);
        losses[^1].ShouldBeLessThan(losses[0] / 2);
        using var model = GradientModels.Create(parameters, new TrainingOptions { Precision = MatmulPrecision.Fp32, Threads = 1 });
        double merged = model.Differentiate(examples, new CrossEntropy(examples.Sum(example => example.SupervisedCount))).Loss;
        merged.ShouldBeLessThan(losses[0] * (form == FrozenForm.Int4 ? 0.7 : 0.55)); // over fp32, not over the bits it was trained with
        foreach (var (name, offset, spec) in parameters.Places.Where(
            place => !place.Name.EndsWith("_proj.weight", StringComparison.Ordinal)))
            parameters.SpanOf(name).SequenceEqual(start.AsSpan((int)offset, (int)spec.Count)).ShouldBeTrue(name); // frozen
    }

    [Fact]
    public void A_look_sees_merged_weights_and_leaves_the_base_as_it_was()
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture(), byTensors: true);
        float[] start = parameters.Span.ToArray();
        var options = new SupervisedOptions
        {
            Epochs = 4,
            BatchTokens = 1000,
            HeldOut = new HeldOutOptions(Every: 2),
            LowRank = Options,
            Training = Training with { LearningRate = 2e-2 },
        };
        var examples = TinyDecoder.Sequences(parameters.Architecture, 12, 15);
        var looked = new List<double>();
        var held = new HeldOutLoss(examples);
        SupervisedFineTuning.Run(
            parameters, examples, options, TimeProvider.System, null,
            step =>
            {
                if (step.Step < 4) parameters.Span.SequenceEqual(start).ShouldBeTrue();
            },
            CancellationToken.None, held,
            look =>
            {
                using var merged = GradientModels.Create(parameters, Training);
                held.Of(merged, CancellationToken.None).ShouldBe(look.Value, 1e-5);
                looked.Add(look.Value);
            });
        looked.Count.ShouldBe(2);
        parameters.Span.SequenceEqual(start).ShouldBeFalse();
    }

    [Fact]
    public void A_training_that_was_saved_and_continued_ends_as_one_that_was_not()
    {
        string path = Path.Combine(Directory.CreateTempSubdirectory("distill-adapters").FullName, "state.safetensors");
        float[] whole = Train(null, int.MaxValue);
        Should.Throw<OperationCanceledException>(() => Train(path, stopAt: 3));
        Train(path, int.MaxValue).ShouldBe(whole);
    }

    [Theory]
    [InlineData(FrozenForm.Float)]
    [InlineData(FrozenForm.Int4)]
    public void No_pass_leaves_a_tensor_behind(FrozenForm form)
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture(), byTensors: true);
        using var adapters = Adapters(parameters, Options);
        using var model = GradientModels.Create(parameters, adapters, form, Training);
        var sequences = TinyDecoder.Sequences(parameters.Architecture, 12, 15);
        var loss = new CrossEntropy(20);
        model.Differentiate(sequences, loss);
        long before = Tensor.TotalCount;
        for (int step = 0; step < 20; step++) model.Differentiate(sequences, loss);
        Tensor.TotalCount.ShouldBeLessThanOrEqualTo(before);
    }

    // 9 and 5 bits a weight, and rows that fill no whole block.
    [Theory]
    [InlineData(8, 64L, 30L * 2 * 36)]
    [InlineData(4, 64L, 30L * 2 * 20)]
    [InlineData(4, 70L, 30L * 3 * 20)]
    public void Blocks_take_the_room_they_are_said_to(int bits, long columns, long bytes)
    {
        using var scope = NewDisposeScope();
        BlockMatrix.BytesOf(30, columns, bits).ShouldBe(bytes);
        var values = randn([30, columns]);
        values[3].zero_();
        using var matrix = new BlockMatrix(values, bits, ScalarType.Float32, CPU);
        matrix.Bytes.ShouldBe(bytes);
        var widened = matrix.Values();
        widened.shape.ShouldBe([30L, columns]);
        widened[3].abs().sum().item<float>().ShouldBe(0);
        // within half a step of the block's largest, which is at most 2^(bits − 1) steps; a code at the far end may be cut off by one
        double step = values.abs().amax([0, 1]).item<float>() / Math.Pow(2, bits - 1);
        (widened - values).abs().amax([0, 1]).item<float>().ShouldBeLessThan((float)(1.01 * step));
    }

    private static TrainingOptions Training => new() { Precision = MatmulPrecision.Fp32, Threads = 1, MicroBatchTokens = 128 };

    private static LowRankAdapters Adapters(FlatParameters parameters, LowRankOptions options)
    {
        var adapters = new LowRankAdapters(parameters, options, seed: 4);
        var normal = new NormalStream(9);
        foreach (ref float value in adapters.Values.Host()) value += (float)(0.05 * normal.Next()); // B as well
        return adapters;
    }

    private static float[] Train(string? path, int stopAt)
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture(), byTensors: true);
        using var stop = new CancellationTokenSource();
        var options = new SupervisedOptions
        {
            Epochs = 6,
            BatchTokens = 1000,
            LowRank = Options,
            Training = Training with { LearningRate = 1e-2, Precision = MatmulPrecision.Mixed },
        };
        SupervisedFineTuning.Run(
            parameters, TinyDecoder.Sequences(parameters.Architecture, 12, 15, 20), [], options, TimeProvider.System, path,
            report =>
            {
                if (report.Step == stopAt) stop.Cancel();
            },
            stop.Token);
        return parameters.Span.ToArray();
    }
}
