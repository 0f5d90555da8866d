using Distill.Student.Model;
using Distill.Student.Distillation;
using Distill.Student.Fused;
using Distill.Student.Supervised;
using Distill.Student.Training;

namespace Distill.Student.Tests.Losses;

public sealed class SoftLabelTests
{
    private static readonly double[] Student = [1, 0.5, 0, -1];

    // log-softmax of [2, 0, −1, 0.5].
    private static readonly float[] Teacher = [-0.342350f, -2.342350f, -3.342350f, -1.842350f];

    public static TheoryData<string, double> Divergences => new()
    {
        { "forward", 0.268580 }, { "reverse", 0.343686 }, { "jsd 0.1", 0.024397 }, { "jsd 0.5", 0.072254 }, { "jsd 0.9", 0.029463 },
            { "cross-entropy", 1.146861 },
    };

    [Theory]
    [MemberData(nameof(Divergences))]
    public void Whole_distributions_give_the_values_known(string name, double expected) =>
        new TopTokenDivergence(Named(name), TokenSupport.TeacherRenormalised)
        .Evaluate<double>([0, 1, 2, 3], Teacher, Student, new double[4]).ShouldBe(expected, 2e-6);

    [Theory]
    [InlineData(TokenSupport.TailBucket, "forward", 0.265117)]
    [InlineData(TokenSupport.RenormalisedBoth, "forward", 0.016727)]
    [InlineData(TokenSupport.TeacherRenormalised, "forward", 0.636367)]
    [InlineData(TokenSupport.TeacherRenormalised, "cross-entropy", 1.111418)]
    public void The_four_definitions_of_the_best_two_tokens_give_four_values(TokenSupport support, string divergence, double expected) =>
        new TopTokenDivergence(Named(divergence), support).Evaluate<double>([0, 3], [Teacher[0], Teacher[3]], Student, new double[4])
        .ShouldBe(expected, 2e-6);

    [Fact]
    public void The_square_of_the_temperature_is_a_factor_of_value_and_gradient()
    {
        double[] plain = new double[4], squared = new double[4];
        new TopTokenDivergence(new ForwardDivergence(), TokenSupport.TeacherRenormalised, 2)
            .Evaluate<double>([0, 1, 2, 3], Teacher, Student, plain).ShouldBe(0.103801, 2e-6);
        new TopTokenDivergence(new ForwardDivergence(), TokenSupport.TeacherRenormalised, 2, squareTemperature: true)
            .Evaluate<double>([0, 1, 2, 3], Teacher, Student, squared).ShouldBe(0.415202, 4e-6);
        for (int i = 0; i < 4; i++) squared[i].ShouldBe(4 * plain[i], 1e-12);
    }

    [Theory]
    [InlineData("forward", TokenSupport.TailBucket)]
    [InlineData("reverse", TokenSupport.TailBucket)]
    [InlineData("jsd 0.3", TokenSupport.TailBucket)]
    [InlineData("forward", TokenSupport.RenormalisedBoth)]
    [InlineData("reverse", TokenSupport.RenormalisedBoth)]
    [InlineData("forward", TokenSupport.TeacherRenormalised)]
    [InlineData("cross-entropy", TokenSupport.TeacherRenormalised)]
    public void Gradients_are_the_slopes_of_the_value(string name, TokenSupport support)
    {
        var loss = new TopTokenDivergence(Named(name), support, temperature: 1.7, squareTemperature: true);
        double[] gradient = new double[4], ignored = new double[4];
        loss.Evaluate<double>([0, 3], [Teacher[0], Teacher[3]], Student, gradient, 0.6);
        for (int i = 0; i < 4; i++)
        {
            double[] up = [.. Student], down = [.. Student];
            up[i] += 1e-6;
            down[i] -= 1e-6;
            double slope = (Value(up) - Value(down)) / 2e-6;
            gradient[i].ShouldBe(slope, 1e-8);
        }

        double Value(double[] logits) => loss.Evaluate<double>([0, 3], [Teacher[0], Teacher[3]], logits, ignored, 0.6);
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.7)]
    [InlineData(1.0)]
    public void Fused_and_autograd_passes_agree_on_soft_labels(double softWeight)
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        var sequences = TinyDecoder.Sequences(parameters.Architecture, 5, 17, 33).Select(WithTeacher).ToList();
        var loss = new SoftLabelLoss(
            new TopTokenDivergence(new JensenShannonDivergence(0.4), TokenSupport.TailBucket, 2), softWeight,
            sequences.Sum(sequence => sequence.SupervisedCount));
        using var reference = new ReferenceGradientModel(parameters);
        using var fused = new FusedGradientModel(parameters, MatmulPrecision.Fp32, 2, 128);

        var expected = reference.Differentiate(sequences, loss);
        var actual = fused.Differentiate(sequences, loss);

        actual.Loss.ShouldBe(expected.Loss, 1e-5);
        actual.MeanEntropy.ShouldBe(expected.MeanEntropy, 1e-5);
        double worst = 0, largest = 0;
        for (int i = 0; i < parameters.Count; i++)
        {
            worst = Math.Max(worst, Math.Abs(fused.Gradient.Host()[i] - reference.Gradient.Host()[i]));
            largest = Math.Max(largest, Math.Abs(reference.Gradient.Host()[i]));
        }

        worst.ShouldBeLessThan(1e-4 * largest);
    }

    [Fact]
    public void Hard_labels_alone_are_cross_entropy()
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        List<TrainingSequence> sequences = [.. TinyDecoder.Sequences(parameters.Architecture, 20, 40).Select(WithTeacher)];
        long learned = sequences.Sum(sequence => sequence.SupervisedCount);
        using var model = new FusedGradientModel(parameters, MatmulPrecision.Fp32, 1, 128);
        var expected = model.Differentiate(sequences, new CrossEntropy(learned));
        float[] gradient = model.Gradient.Host().ToArray();
        var actual = model.Differentiate(
            sequences, new SoftLabelLoss(new TopTokenDivergence(new ForwardDivergence(), TokenSupport.TailBucket), 0, learned));
        actual.Loss.ShouldBe(expected.Loss, 1e-5);
        actual.MeanLogProbability.ShouldBe(expected.MeanLogProbability, 1e-5);
        for (int i = 0; i < gradient.Length; i++) model.Gradient.Host()[i].ShouldBe(gradient[i], 1e-6f);
    }

    [Fact]
    public void Alternatives_that_do_not_fit_the_learned_tokens_are_refused() =>
        Should.Throw<ArgumentException>(() => TeacherSequence.Of([1, 2, 3, 4], 1, [5, 6, 7, 8], [0, 0, 0, 0]));

    private static TeacherSequence WithTeacher(TrainingSequence sequence)
    {
        int learned = sequence.SupervisedCount;
        var ids = Enumerable.Range(0, learned).SelectMany(i => new[] { (i * 7) % 61, (i * 7 + 11) % 61, (i * 7 + 30) % 61 });
        var values = Enumerable.Range(0, learned).SelectMany(i => new[] { -0.4f, -1.8f - 0.01f * i, -3f });
        return TeacherSequence.Of(sequence.Tokens, sequence.FirstSupervised, [.. ids], [.. values]);
    }

    private static IDivergence Named(string name) => name.Split(' ') switch
    {
        ["forward"] => new ForwardDivergence(),
        ["reverse"] => new ReverseDivergence(),
        ["cross-entropy"] => new CrossEntropyDivergence(),
        ["jsd", var share] => new JensenShannonDivergence(double.Parse(share, System.Globalization.CultureInfo.InvariantCulture)),
        _ => throw new ArgumentException(name),
    };
}
