using Distill.Student.Distillation;
using Distill.Student.Model;
using Distill.Student.Supervised;
using Distill.Student.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Distill.Student.Tests.Losses;

/// <summary>Losses on chunks of logits against the same losses token by token, and on a device that shows what leaves it.</summary>
[Collection(nameof(CountedTensors))]
public sealed class ChunkLossTests
{
    private const int Vocabulary = 37;

    public static TheoryData<string> Losses =>
        [.. Supports().SelectMany(support => Divergences.Keys.Select(divergence => $"{support}/{divergence}")), "hard", "rows"];

    private static readonly Dictionary<string, IDivergence> Divergences = new()
    {
        ["forward"] = new ForwardDivergence(),
        ["cross-entropy"] = new CrossEntropyDivergence(),
        ["reverse"] = new ReverseDivergence(),
        ["skew forward"] = new SkewForwardDivergence(0.1),
        ["skew reverse"] = new SkewReverseDivergence(0.1),
        ["jensen"] = new JensenShannonDivergence(0.3),
    };

    [Theory, MemberData(nameof(Losses))]
    public void A_chunk_is_the_sum_of_its_tokens(string name)
    {
        using var scope = NewDisposeScope();
        var loss = Named(name);
        var chunk = Chunk(CPU);
        var (value, gradient) = loss.Evaluate(chunk);
        double expected = 0;
        float[] slopes = new float[Vocabulary];
        foreach (var (index, token) in chunk.Rows.Index())
        {
            expected += loss.Evaluate(token.Sequence, token.Position, chunk.Logits[index].Host(), slopes);
            var row = gradient[index].Host();
            for (int i = 0; i < Vocabulary; i++) row[i].ShouldBe(slopes[i], 1e-6f, $"{name}, token {index}, logit {i}");
        }

        value.item<double>().ShouldBe(expected, 1e-6 * Math.Max(1, Math.Abs(expected)));
        ShouldBeEqual(chunk.Logits, Chunk(CPU).Logits); // left as they were
    }

    [Theory, MemberData(nameof(Losses))]
    public void Nothing_leaves_the_device(string name)
    {
        using var scope = NewDisposeScope();
        var (value, gradient) = Named(name).Evaluate(Chunk(new Device("meta")));
        (value.device.type, gradient.device.type).ShouldBe((DeviceType.META, DeviceType.META));
        gradient.shape.ShouldBe([9L, Vocabulary]);
        value.numel().ShouldBe(1);
    }

    [Theory, MemberData(nameof(Losses))]
    public void Only_value_and_gradient_stay(string name)
    {
        using var scope = NewDisposeScope();
        var chunk = Chunk(CPU);
        var loss = Named(name);
        using (NewDisposeScope()) loss.Evaluate(chunk);
        long before = Tensor.TotalCount;
        using (NewDisposeScope()) loss.Evaluate(chunk);
        Tensor.TotalCount.ShouldBeLessThanOrEqualTo(before);
    }

    // A certain student, a certain teacher, and what neither thinks possible.
    [Theory, MemberData(nameof(Losses))]
    public void Extremes_give_finite_numbers(string name)
    {
        using var scope = NewDisposeScope();
        var chunk = Chunk(CPU);
        chunk.Logits[0, 3] = 400;
        chunk.Logits[1, 3] = -400;
        chunk.Logits[2] = zeros(Vocabulary);
        chunk.Logits[2, 5] = 1000;
        var (value, gradient) = Named(name).Evaluate(chunk);
        double.IsFinite(value.item<double>()).ShouldBeTrue();
        gradient.isfinite().all().item<bool>().ShouldBeTrue();
    }

    private static IEnumerable<TokenSupport> Supports() => Enum.GetValues<TokenSupport>();

    private static IDistributionLoss Named(string name) => name.Split('/') switch
    {
        ["rows"] => new SupervisedLossOptions
        {
            Average = TokenAverage.Sequence,
            Rectified = true,
            LabelSmoothing = 0.2,
            PartitionWeight = 0.01,
            EntropyBonus = 0.1,
        }.ToLoss(9, 2),
        ["hard"] => new SoftLabelLoss(new TopTokenDivergence(Divergences["forward"], TokenSupport.TailBucket), 0, 9),
        [var support, var divergence] => new SoftLabelLoss(
            new TopTokenDivergence(Divergences[divergence], Enum.Parse<TokenSupport>(support), 1.7, squareTemperature: true), 0.7, 9),
        _ => throw new ArgumentException(name),
    };

    // Two examples whose teachers gave unequally many alternatives.
    private static LogitsChunk Chunk(Device device)
    {
        var normal = new NormalStream(11);
        TeacherSequence[] examples = [Example(learned: 5, top: 4, normal), Example(learned: 4, top: 2, normal)];
        LearnedToken[] rows = [.. examples.SelectMany(
            example => Enumerable.Range(0, example.SupervisedCount).Select(position => new LearnedToken(example, position)))];
        float[] logits = [.. Enumerable.Range(0, rows.Length * Vocabulary).Select(_ => (float)(3 * normal.Next()))];
        long[] targets = [.. rows.Select(row => (long)row.Sequence.Tokens[row.Sequence.FirstSupervised + row.Position])];
        return new LogitsChunk(rows, tensor(logits, [rows.Length, Vocabulary]).to(device), tensor(targets).to(device));
    }

    private static TeacherSequence Example(int learned, int top, NormalStream normal)
    {
        int[] tokens = [.. Enumerable.Range(0, learned + 2).Select(i => (7 * i) % Vocabulary)];
        int[] ids = [.. Enumerable.Range(0, learned * top).Select(i => ((5 * (i / top)) + (3 * (i % top))) % Vocabulary)];
        float[] logProbabilities = [.. ids.Select(_ => (float)(-2 - Math.Abs(normal.Next())))];
        return TeacherSequence.Of(tokens, 2, ids, logProbabilities);
    }

    private static void ShouldBeEqual(Tensor one, Tensor other) => one.Host().ToArray().ShouldBe(other.Host().ToArray());
}
