using Distill.Architecture;
using Distill.Student.Autograd;
using Distill.Student.Fused;
using Distill.Student.Model;
using Distill.Student.Supervised;
using Distill.Student.Training;

namespace Distill.Student.Tests.Autograd;

/// <summary>
/// The passes for any device, on the processor, against the plain decoder one sequence at a time and against the fused passes.
/// </summary>
public sealed class AutogradFamilyTests
{
    private static readonly DecoderArchitecture Base = TinyDecoder.Architecture();

    public static TheoryData<string> Features => new(
        "plain", "untied", "no QK-norm", "biases", "window 1", "window 7", "window 50", "upper window", "plain layer", "yarn", "head 24",
        "head 40", "head 6", "one key head", "no groups", "everything");

    [Theory, MemberData(nameof(Features))]
    public void Loss_and_gradient_are_those_of_the_reference(string feature)
    {
        using var parameters = TinyDecoder.Parameters(With(feature));
        var sequences = TinyDecoder.Sequences(parameters.Architecture, 5, 17, 33, 64, 70, 68, 2, 100, 33);
        var loss = new CrossEntropy(sequences.Sum(sequence => sequence.SupervisedCount));
        using var reference = new ReferenceGradientModel(parameters);
        using var model = new AutogradGradientModel(parameters, options: new AutogradOptions(Capacity: 150));
        var expected = reference.Differentiate(sequences, loss);
        var actual = model.Differentiate(sequences, loss);
        actual.Loss.ShouldBe(expected.Loss, 1e-5);
        actual.MeanEntropy.ShouldBe(expected.MeanEntropy, 1e-5);
        actual.MeanLogProbability.ShouldBe(expected.MeanLogProbability, 1e-5);
        actual.Accuracy.ShouldBe(expected.Accuracy);
        RequireEqual(parameters, model, reference);
        if (!FusedGradientModel.Supports(parameters.Architecture)) return;
        using var fused = new FusedGradientModel(parameters, MatmulPrecision.Fp32, 1, 128);
        fused.Differentiate(sequences, loss).Loss.ShouldBe(actual.Loss, 1e-5);
        RequireEqual(parameters, model, fused);
    }

    [Theory]
    [InlineData(1 << 24)]
    [InlineData(61 * 20)]
    public void Losses_over_distributions_are_those_of_the_reference(int logitsAtOnce)
    {
        using var parameters = TinyDecoder.Parameters(With("untied"));
        var sequences = TinyDecoder.Sequences(parameters.Architecture, 5, 17, 33, 64, 2);
        var loss = new SupervisedLossOptions { LabelSmoothing = 0.2, EntropyBonus = 0.1, PartitionWeight = 0.01 }
            .ToLoss(sequences.Sum(sequence => sequence.SupervisedCount), sequences.Count);
        using var reference = new ReferenceGradientModel(parameters);
        using var model = new AutogradGradientModel(
            parameters, options: new AutogradOptions(Capacity: 70) { LogitsAtOnce = logitsAtOnce });
        var expected = reference.Differentiate(sequences, loss);
        var actual = model.Differentiate(sequences, loss);
        actual.Loss.ShouldBe(expected.Loss, 1e-5);
        actual.MeanEntropy.ShouldBe(expected.MeanEntropy, 1e-5);
        RequireEqual(parameters, model, reference);
    }

    [Fact]
    public void Scores_and_entropies_come_back_in_the_order_given()
    {
        using var parameters = TinyDecoder.Parameters(With("head 24"));
        var sequences = TinyDecoder.Sequences(parameters.Architecture, 12, 50, 31, 7, 90);
        using var reference = new ReferenceGradientModel(parameters);
        using var model = new AutogradGradientModel(parameters, options: new AutogradOptions(Capacity: 64));
        RequireClose(model.Score(sequences), reference.Score(sequences));
        RequireClose(model.Entropies(sequences), reference.Entropies(sequences));
    }

    [Fact]
    public void What_stands_in_padding_or_beside_a_sequence_changes_nothing()
    {
        using var parameters = TinyDecoder.Parameters(With("window 7"));
        var sequences = TinyDecoder.Sequences(parameters.Architecture, 60, 57, 58, 56);
        using var model = new AutogradGradientModel(parameters);
        var together = model.Score(sequences);
        for (int i = 0; i < sequences.Count; i++) RequireClose([together[i]], model.Score([sequences[i]]));
        // the longest ends differently: of the others nothing changes, not a bit
        TrainingSequence other = sequences[0] with { Tokens = [.. sequences[0].Tokens.Take(57), 1, 2, 3] };
        var changed = model.Score([other, .. sequences.Skip(1)]);
        for (int i = 1; i < sequences.Count; i++) changed[i].ShouldBe(together[i]);
        changed[0][..30].ShouldBe(together[0][..30]);
    }

    [Fact]
    public void Only_what_the_model_reads_limits_a_sequence()
    {
        using var parameters = TinyDecoder.Parameters(Base);
        using var model = new AutogradGradientModel(parameters, options: new AutogradOptions(Capacity: 16));
        using var reference = new ReferenceGradientModel(parameters);
        var longest = TinyDecoder.Sequences(Base, 128, 9);
        RequireClose(model.Score(longest), reference.Score(longest));
        Should.Throw<ArgumentException>(() => model.Score(TinyDecoder.Sequences(Base, 129))).Message.ShouldContain("129 tokens");
    }

    internal static DecoderArchitecture With(string feature) => feature switch
    {
        "plain" => Base,
        "untied" => Base with { TieEmbeddings = false },
        "no QK-norm" => Base with { QueryKeyNorm = false },
        "biases" => Base with { AttentionBias = true, AttentionOutputBias = true, FeedForwardBias = true },
        "upper window" => Base with { SlidingWindow = 12, WindowLayers = new([1]) },
        "plain layer" => Base with { PlainLayers = new([0]) },
        "yarn" => Base with { RotaryScaling = new YarnRotary(4, 32, 1.25) },
        "head 24" => Base with { HeadSize = 24 },
        "head 40" => Base with { HeadSize = 40 },
        "head 6" => Base with { HeadSize = 6 },
        "one key head" => Base with { KeyValueHeads = 1 },
        "no groups" => Base with { KeyValueHeads = 4 },
        "everything" => Base with
        {
            AttentionBias = true, AttentionOutputBias = true, FeedForwardBias = true, SlidingWindow = 12, WindowLayers = new([0]),
            PlainLayers = new([1]), RotaryScaling = new YarnRotary(4, 32, 1.25), QueryKeyNorm = false, TieEmbeddings = false, HeadSize = 24,
        },
        _ => Base with { SlidingWindow = int.Parse(feature.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture),
        WindowLayers = LayerSet.From(0, Base.Layers) },
    };

    internal static void RequireEqual(FlatParameters parameters, IGradientModel model, IGradientModel expected)
    {
        double whole = Norm(expected.Gradient.Host());
        foreach (var (name, offset, spec) in parameters.Places)
        {
            var want = expected.Gradient.Host().Slice((int)offset, (int)spec.Count);
            var have = model.Gradient.Host().Slice((int)offset, (int)spec.Count);
            float[] difference = new float[want.Length];
            for (int i = 0; i < difference.Length; i++) difference[i] = have[i] - want[i];
            // a key bias, or queries that see one key, have almost no gradient of their own
            (Norm(difference) / Math.Max(Norm(want), 1e-2 * whole)).ShouldBeLessThan(2e-5, name);
        }
    }

    internal static void RequireClose(IReadOnlyList<float[]> actual, IReadOnlyList<float[]> expected)
    {
        for (int i = 0; i < expected.Count; i++)
            actual[i].Zip(expected[i], (a, b) => Math.Abs(a - b)).Max().ShouldBeLessThan(1e-4f, $"sequence {i}");
    }

    private static double Norm(ReadOnlySpan<float> values)
    {
        double sum = 0;
        foreach (float value in values) sum += (double)value * value;
        return Math.Sqrt(sum);
    }
}
