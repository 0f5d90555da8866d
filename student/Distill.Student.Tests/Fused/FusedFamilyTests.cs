using Distill.Student.Model;
using Distill.Architecture;
using Distill.Student.Fused;
using Distill.Student.Supervised;

namespace Distill.Student.Tests.Fused;

/// <summary>What a decoder may have beyond the usual, in the fused passes against autograd.</summary>
public sealed class FusedFamilyTests
{
    private static readonly DecoderArchitecture Base = TinyDecoder.Architecture();

    public static TheoryData<string> Features => new(
        "biases", "window 1", "window 7", "window 16", "window 17", "window 50", "upper window", "plain layer", "linear", "llama3", "yarn",
        "everything");

    [Theory, MemberData(nameof(Features))]
    public void Fused_passes_give_the_loss_and_gradient_of_autograd(string feature)
    {
        using var parameters = TinyDecoder.Parameters(With(feature));
        var sequences = TinyDecoder.Sequences(parameters.Architecture, 5, 17, 33, 64, 70, 2, 100);
        var loss = new CrossEntropy(sequences.Sum(sequence => sequence.SupervisedCount));
        using var reference = new ReferenceGradientModel(parameters);
        using var fused = new FusedGradientModel(parameters, MatmulPrecision.Fp32, 2, capacity: 128);
        double expected = reference.Differentiate(sequences, loss).Loss;
        fused.Differentiate(sequences, loss).Loss.ShouldBe(expected, 1e-5);
        double whole = Norm(reference.Gradient.Host());
        foreach (var (name, offset, spec) in parameters.Places)
        {
            var want = reference.Gradient.Host().Slice((int)offset, (int)spec.Count);
            var have = fused.Gradient.Host().Slice((int)offset, (int)spec.Count);
            float[] difference = new float[want.Length];
            for (int i = 0; i < difference.Length; i++) difference[i] = have[i] - want[i];
            // a key bias, or queries that see one key, have almost no gradient of their own
            (Norm(difference) / Math.Max(Norm(want), 1e-2 * whole)).ShouldBeLessThan(2e-5, name);
        }
    }

    [Theory]
    [InlineData("window 7")]
    [InlineData("plain layer")]
    [InlineData("yarn")]
    public void A_feature_changes_what_is_computed(string feature)
    {
        using var plain = TinyDecoder.Parameters(Base);
        using var other = TinyDecoder.Parameters(With(feature));
        var sequences = TinyDecoder.Sequences(Base, 40);
        using var one = new FusedGradientModel(plain, MatmulPrecision.Fp32, 1, 128);
        using var two = new FusedGradientModel(other, MatmulPrecision.Fp32, 1, 128);
        one.Score(sequences)[0].Zip(two.Score(sequences)[0], (a, b) => Math.Abs(a - b)).Max().ShouldBeGreaterThan(1e-3f);
    }

    [Fact]
    public void A_window_ends_where_its_sequence_begins()
    {
        using var parameters = TinyDecoder.Parameters(With("window 7"));
        var sequences = TinyDecoder.Sequences(parameters.Architecture, 20, 30, 25);
        using var model = new FusedGradientModel(parameters, MatmulPrecision.Fp32, 1, 128);
        var packed = model.Score(sequences);
        for (int i = 0; i < sequences.Count; i++)
            model.Score([sequences[i]])[0].Zip(packed[i], (a, b) => Math.Abs(a - b)).Max().ShouldBeLessThan(1e-5f);
    }

    [Fact]
    public void A_sequence_beyond_the_models_positions_is_refused()
    {
        using var parameters = TinyDecoder.Parameters(Base with { MaxPositions = 32 });
        using var model = new FusedGradientModel(parameters, MatmulPrecision.Fp32, 1, 128);
        Should.Throw<ArgumentException>(() => model.Score(TinyDecoder.Sequences(Base, 33))).Message.ShouldContain("33 tokens");
    }

    private static DecoderArchitecture With(string feature) => feature switch
    {
        "biases" => Base with { AttentionBias = true, AttentionOutputBias = true, FeedForwardBias = true },
        "upper window" => Base with { SlidingWindow = 12, WindowLayers = new([1]) },
        "plain layer" => Base with { PlainLayers = new([0]) },
        "linear" => Base with { RotaryScaling = new LinearRotary(4) },
        "llama3" => Base with { RotaryScaling = new Llama3Rotary(8, 1, 4, 32) },
        "yarn" => Base with { RotaryScaling = new YarnRotary(4, 32, 1.25) },
        "everything" => Base with
        {
            AttentionBias = true, AttentionOutputBias = true, FeedForwardBias = true, SlidingWindow = 12, WindowLayers = new([0]),
                PlainLayers = new([1]),
            RotaryScaling = new YarnRotary(4, 32, 1.25), QueryKeyNorm = false, TieEmbeddings = false,
        },
        _ => Base with { SlidingWindow = int.Parse(feature.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture),
        WindowLayers = LayerSet.From(0, Base.Layers) },
    };

    private static double Norm(ReadOnlySpan<float> values)
    {
        double sum = 0;
        foreach (float value in values) sum += (double)value * value;
        return Math.Sqrt(sum);
    }
}
