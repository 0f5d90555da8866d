using System.Numerics;
using System.Text.Json.Nodes;
using Distill.Student.Distillation;
using static TorchSharp.torch;

namespace Distill.Student.Tests.Losses;

/// <summary>Every definition of soft labels against TRL's code and the papers' formulas: value and gradient.</summary>
public sealed class SoftLabelGoldenTests
{
    [Fact]
    public void Values_and_gradients_in_double_are_those_of_the_references()
    {
        using var fixture = new LossFixture("soft");
        int compared = 0;
        foreach (var golden in fixture.Cases)
        {
            var (loss, gradient) = Evaluate<double>(fixture, golden);
            string name = LossFixture.NameOf(golden);
            LossFixture.ShouldBeNear(loss, LossFixture.Loss(golden), 1e-6, name);
            LossFixture.ShouldMatch(gradient, fixture.Gradient(golden), 2e-6, name);
            compared++;
        }

        compared.ShouldBePositive();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Values_and_gradients_in_single_precision_stay_within_the_fair_tolerance(bool byChunk)
    {
        using var fixture = new LossFixture("soft");
        foreach (var golden in fixture.Cases.Where(golden => !LossFixture.NameOf(golden).StartsWith("extreme", StringComparison.Ordinal)))
        {
            int[] labels = fixture.Integers(golden, "labels");
            var (loss, gradient) = byChunk
                ? Chunk(fixture, golden, DivergenceOf(golden), row => labels[row] != -100, labels.Count(label => label != -100))
                : Evaluate<float>(fixture, golden);
            string name = LossFixture.NameOf(golden);
            LossFixture.ShouldBeNear(loss, LossFixture.Loss(golden), 1e-5, name);
            LossFixture.ShouldMatch(gradient, fixture.Gradient(golden), 1e-5, name);
        }
    }

    [Fact]
    public void The_exact_reverse_divergence_of_on_policy_distillation_is_that_of_the_reference()
    {
        using var fixture = new LossFixture("on_policy");
        foreach (var golden in fixture.Cases.Where(
            golden => LossFixture.NameOf(golden).Contains("reverse_kl_full", StringComparison.Ordinal)))
        {
            var loss = new TopTokenDivergence(
                new ReverseDivergence(), TokenSupport.TeacherRenormalised, LossFixture.Parameter(golden, "temperature"));
            int[] mask = fixture.Mask(golden);
            var (value, gradient) = Rows<double>(fixture, golden, loss, row => mask[row] != 0, LossFixture.Parameter(golden, "normaliser"));
            LossFixture.ShouldBeNear(value, LossFixture.Loss(golden), 1e-6, LossFixture.NameOf(golden));
            LossFixture.ShouldMatch(gradient, fixture.Gradient(golden), 2e-6, LossFixture.NameOf(golden));
            (value, gradient) = Chunk(fixture, golden, loss, row => mask[row] != 0, LossFixture.Parameter(golden, "normaliser"));
            LossFixture.ShouldBeNear(value, LossFixture.Loss(golden), 1e-5, LossFixture.NameOf(golden));
            LossFixture.ShouldMatch(gradient, fixture.Gradient(golden), 1e-5, LossFixture.NameOf(golden));
        }
    }

    // All learned rows as one chunk of tensors.
    private static (double Loss, double[] Gradient) Chunk(
        LossFixture fixture, JsonObject golden, TopTokenDivergence loss, Func<int, bool> learned, double count)
    {
        using var scope = NewDisposeScope();
        float[] logits = fixture.Singles(golden, "student");
        int width = (int)fixture.Shape(LossFixture.InputOf(golden, "student"))[^1], rows = logits.Length / width;
        var (ids, teacher, k) = Teacher(fixture, golden, rows);
        int vocabulary = LossFixture.Has(golden, "teacher") ? k : width;
        long[] taken = [.. Enumerable.Range(0, rows).Where(learned).Select(row => (long)row)];
        Tensor Rows(Tensor all) => all.view(rows, -1).index_select(0, tensor(taken));
        var (value, slopes) = TopTokenChunk.Of(
            loss, Rows(tensor(ids)).to(ScalarType.Int64), Rows(tensor(teacher)).to(ScalarType.Float64),
            Rows(tensor(logits)).narrow(1, 0, vocabulary), 1 / count);
        double[] gradient = new double[logits.Length];
        foreach (var (index, row) in taken.Index())
            for (int i = 0; i < vocabulary; i++) gradient[(row * width) + i] = slopes.Host()[(index * vocabulary) + i];
        return (value.item<double>(), gradient);
    }

    private static (double Loss, double[] Gradient) Evaluate<T>(LossFixture fixture, JsonObject golden)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int[] labels = fixture.Integers(golden, "labels");
        return Rows<T>(fixture, golden, DivergenceOf(golden), row => labels[row] != -100, labels.Count(label => label != -100));
    }

    private static (double Loss, double[] Gradient) Rows<T>(
        LossFixture fixture, JsonObject golden, TopTokenDivergence loss, Func<int, bool> learned, double count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] logits = [.. fixture.Singles(golden, "student").Select(T.CreateChecked)], gradient = new T[logits.Length];
        int width = (int)fixture.Shape(LossFixture.InputOf(golden, "student"))[^1], rows = logits.Length / width;
        var (ids, teacher, k) = Teacher(fixture, golden, rows);
        int vocabulary = LossFixture.Has(golden, "teacher") ? k : width; // a student's padding is cut off before the softmax
        double sum = 0;
        for (int row = 0; row < rows; row++)
        {
            if (!learned(row)) continue;
            var range = (row * width)..(row * width + vocabulary);
            sum += loss.Evaluate<T>(
                ids.AsSpan(row * k, k), teacher.AsSpan(row * k, k), logits.AsSpan(range), gradient.AsSpan(range), 1 / count);
        }

        return (sum, [.. gradient.Select(double.CreateChecked)]);
    }

    // A whole distribution is its own top k with k the vocabulary; its logits differ from log-probabilities by a constant only.
    private static (int[] Ids, float[] Teacher, int K) Teacher(LossFixture fixture, JsonObject golden, int rows)
    {
        if (LossFixture.Has(golden, "top_ids"))
        {
            int[] ids = fixture.Integers(golden, "top_ids");
            return (ids, fixture.Singles(golden, "top_logprobs"), ids.Length / rows);
        }

        float[] logits = fixture.Singles(golden, "teacher");
        int vocabulary = logits.Length / rows;
        return ([.. Enumerable.Range(0, rows).SelectMany(_ => Enumerable.Range(0, vocabulary))], logits, vocabulary);
    }

    private static TopTokenDivergence DivergenceOf(JsonObject golden)
    {
        string name = LossFixture.NameOf(golden).Split('/')[1];
        double temperature = LossFixture.Parameter(golden, "temperature", 1), beta = LossFixture.Parameter(golden, "beta"),
            alpha = LossFixture.Parameter(golden, "alpha");
        IDivergence divergence = name switch
        {
            _ when name.Contains("reverse_kl", StringComparison.Ordinal) => new ReverseDivergence(),
            _ when name.StartsWith("jsd", StringComparison.Ordinal) => new JensenShannonDivergence(beta),
            _ when name.StartsWith("skew_forward", StringComparison.Ordinal) => new SkewForwardDivergence(alpha),
            _ when name.StartsWith("skew_reverse", StringComparison.Ordinal) => new SkewReverseDivergence(alpha),
            _ when name.EndsWith("cross_entropy", StringComparison.Ordinal) => new CrossEntropyDivergence(),
            _ => new ForwardDivergence(),
        };
        var support = name.Contains("tail", StringComparison.Ordinal) ? TokenSupport.TailBucket
            : name.EndsWith("renormalised_both", StringComparison.Ordinal) ? TokenSupport.RenormalisedBoth
            : TokenSupport.TeacherRenormalised;
        return new TopTokenDivergence(divergence, support, temperature);
    }
}
