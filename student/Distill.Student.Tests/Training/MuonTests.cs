using Distill.Architecture;
using Distill.Student.Adapters;
using Distill.Student.Model;
using Distill.Student.Supervised;
using Distill.Student.Training;
using static TorchSharp.torch;

namespace Distill.Student.Tests.Training;

/// <summary>Muon against the arithmetic of its authors, number by number in fp64, and against what it promises.</summary>
[Collection(nameof(CountedTensors))]
public sealed class MuonTests
{
    private static readonly AdamWOptions s_options = new(WeightDecay: 0.3, Muon: true);

    [Theory, InlineData(false), InlineData(true)]
    public void Matrices_of_layers_follow_the_published_formula_and_all_else_is_AdamW(bool byTensors)
    {
        const double Rate = 0.02;
        using FlatParameters muon = TinyDecoder.Parameters(TinyDecoder.Architecture(), byTensors: byTensors),
            adam = TinyDecoder.Parameters(TinyDecoder.Architecture(), byTensors: byTensors);
        using AdamW ours = new(muon, s_options), theirs = new(adam, s_options with { Muon = false });
        var normal = new NormalStream(8);
        var expected = muon.Places.Where(IsHidden).ToDictionary(place => place.Name, place => new Reference(
            (int)place.Spec.Shape[0], (int)place.Spec.Shape[1], muon.SpanOf(place.Name).ToArray()));
        for (int step = 0; step < 3; step++)
        {
            using var gradient = tensor([.. Enumerable.Range(0, (int)muon.Count).Select(_ => (float)(0.1 * normal.Next()))]);
            double norm = ours.Update(gradient, Rate);
            theirs.Update(gradient, Rate).ShouldBe(norm);
            float[] slopes = gradient.data<float>().ToArray();
            foreach (var (name, offset, spec) in muon.Places.Where(IsHidden))
                expected[name].Update(slopes.AsSpan((int)offset, (int)spec.Count), Math.Min(1, 1 / (norm + 1e-6)), Rate, decay: 0.3);
        }

        expected.Count.ShouldBeGreaterThan(6);
        foreach (var (name, _, _) in muon.Places)
        {
            float[] values = muon.SpanOf(name).ToArray();
            if (expected.TryGetValue(name, out var reference)) Distance(values, reference.Values).ShouldBeLessThan(1e-5, name);
            else values.ShouldBe(adam.SpanOf(name).ToArray(), name);
        }
    }

    [Theory, InlineData(8, 8), InlineData(8, 24), InlineData(32, 33)]
    public void Singular_values_of_a_direction_are_nearly_alike(long rows, long columns)
    {
        using var scope = NewDisposeScope();
        random.manual_seed(3);
        var direction = MuonUpdate.Orthogonalized(randn([4, rows, columns]) * 1e-4);
        var values = linalg.svdvals(direction);
        values.max().item<float>().ShouldBeLessThan(1.25f);
        values[.., ..(int)(rows / 2)].min().item<float>().ShouldBeGreaterThan(0.65f);
    }

    [Fact]
    public void A_matrix_without_a_gradient_stays_and_gives_no_NaN()
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        float[] before = parameters.Span.ToArray();
        using var optimizer = new AdamW(parameters, new AdamWOptions(WeightDecay: 0, Muon: true));
        optimizer.Update(new float[parameters.Count], 0.1).ShouldBe(0);
        parameters.Span.ToArray().ShouldBe(before);
    }

    [Fact]
    public void The_momentum_is_the_whole_state_of_matrices()
    {
        using FlatParameters parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        using var optimizer = new AdamW(parameters, s_options);
        optimizer.Update(Enumerable.Repeat(0.5f, (int)parameters.Count).ToArray(), 0.01);
        foreach (var (name, offset, spec) in parameters.Places)
        {
            bool isZero = optimizer.SecondMoment.narrow(0, offset, spec.Count).abs().sum().item<float>() == 0;
            isZero.ShouldBe(parameters.Blocks.Single(block => block.Offset == offset).Hidden is not null, name);
        }
    }

    [Theory, InlineData(false), InlineData(true)]
    public void Updates_leave_no_tensors_behind(bool byTensors)
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture(), byTensors: byTensors);
        using var optimizer = new AdamW(parameters, s_options);
        using var gradient = ones([parameters.Count]);
        optimizer.Update(gradient, 0.01);
        long before = CountedTensors.Settled();
        for (int i = 0; i < 5; i++) optimizer.Update(gradient, 0.01);
        Tensor.TotalCount.ShouldBeLessThanOrEqualTo(before);
    }

    [Fact]
    public void It_is_another_training_to_a_saved_state()
    {
        using TrainingDigest one = new(), other = new();
        one.Add(new TrainingOptions { Optimizer = new AdamWOptions() }).Finish()
            .ShouldNotBe(other.Add(new TrainingOptions { Optimizer = new AdamWOptions(Muon: true) }).Finish());
    }

    [Fact]
    public void Adapters_are_refused()
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        var options = new SupervisedOptions
        {
            Training = new TrainingOptions { Optimizer = new AdamWOptions(Muon: true) },
            LowRank = new LowRankOptions(2, 4, LowRankOptions.AllTargets),
        };
        Should.Throw<ArgumentException>(() => SupervisedFineTuning.Run(
            parameters, TinyDecoder.Sequences(parameters.Architecture, 9), [], options, TimeProvider.System, null, _ => { },
            TestContext.Current.CancellationToken)).Message.ShouldContain("Muon");
    }

    [Fact]
    public void What_an_update_works_with_is_predicted()
    {
        var architecture = TinyDecoder.Architecture() with { HiddenSize = 64, IntermediateSize = 128 };
        var options = new TrainingOptions { Optimizer = new AdamWOptions(Muon: true) };
        long more = TrainingMemory.Of(architecture, options, 64).Total
            - TrainingMemory.Of(architecture, options with { Optimizer = new AdamWOptions() }, 64).Total;
        more.ShouldBe(6L * 4 * 3 * architecture.Layers * 64 * 128);
        MuonUpdate.MemoryOf(architecture with { HiddenSize = 8192, IntermediateSize = 28_672 }).ShouldBe(6L * 4 * 8192 * 28_672);
    }

    private static bool IsHidden((string Name, long Offset, ParameterSpec Spec) place) =>
        place.Spec.Shape.Count == 2 && place.Name.Contains(".layers.", StringComparison.Ordinal);

    private static double Distance(float[] one, double[] other) =>
        one.Zip(other, (a, b) => Math.Abs(a - b)).Max() / other.Max(Math.Abs);

    /// <summary>A matrix with its momentum, in fp64 and by loops.</summary>
    private sealed class Reference(int rows, int columns, float[] start)
    {
        private readonly double[] momentum = new double[start.Length];

        public double[] Values { get; } = [.. start.Select(value => (double)value)];

        public void Update(ReadOnlySpan<float> slopes, double clip, double rate, double decay)
        {
            double[] direction = new double[momentum.Length];
            for (int i = 0; i < momentum.Length; i++)
            {
                double slope = slopes[i] * clip;
                momentum[i] += (1 - 0.95) * (slope - momentum[i]);
                direction[i] = slope + (0.95 * (momentum[i] - slope));
            }

            double size = rate * 0.2 * Math.Sqrt(Math.Max(rows, columns));
            double[] orthogonal = Orthogonal(direction);
            for (int i = 0; i < momentum.Length; i++) Values[i] = (Values[i] * (1 - (rate * decay))) - (size * orthogonal[i]);
        }

        private double[] Orthogonal(double[] matrix)
        {
            double norm = Math.Sqrt(matrix.Sum(value => value * value));
            double[] x = [.. matrix.Select(value => value / norm)];
            for (int round = 0; round < 5; round++)
            {
                double[] square = Product(x, Transposed(x, rows, columns), rows, columns, rows);
                double[] fourth = Product(square, square, rows, rows, rows);
                double[] factor = [.. square.Zip(fourth, (two, four) => (-4.7750 * two) + (2.0315 * four))];
                double[] added = Product(factor, x, rows, rows, columns);
                x = [.. x.Zip(added, (value, more) => (3.4445 * value) + more)];
            }

            return x;
        }

        private static double[] Transposed(double[] m, int rows, int columns) =>
            [.. Enumerable.Range(0, m.Length).Select(i => m[((i % rows) * columns) + (i / rows)])];

        private static double[] Product(double[] left, double[] right, int rows, int inner, int columns)
        {
            double[] product = new double[rows * columns];
            for (int row = 0; row < rows; row++)
            {
                for (int k = 0; k < inner; k++)
                    for (int column = 0; column < columns; column++)
                        product[(row * columns) + column] += left[(row * inner) + k] * right[(k * columns) + column];
            }

            return product;
        }
    }
}
