using System.Text.Json.Nodes;
using Distill.Student.Fused;
using Distill.Student.Supervised;
using Distill.Student.Training;
using static TorchSharp.torch;

namespace Distill.Student.Tests.Losses;

/// <summary>
/// The losses of supervised fine-tuning against TRL, transformers and the papers' formulas: value and gradient by the logits of every case.
/// </summary>
public sealed class SupervisedLossGoldenTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Values_and_gradients_are_those_of_the_references(bool byChunk)
    {
        using var fixture = new LossFixture("sft");
        int compared = 0;
        double step = 0;
        foreach (var golden in fixture.Cases)
        {
            var rows = Rows(fixture, golden);
            int count = fixture.Singles(golden, "logits").Length;
            var loss = LossOf(golden, rows);
            var (value, gradient) = byChunk ? EvaluateChunk(loss, rows, count) : Evaluate(loss, rows, count);
            Compare(fixture, golden, value, gradient);
            if (LossFixture.NameOf(golden).StartsWith("accumulated/", StringComparison.Ordinal)) step += value;
            compared++;
        }

        compared.ShouldBePositive();
        LossFixture.ShouldBeNear(step, fixture.Root["accumulated_step_loss"]!.GetValue<double>(), 1e-5, "accumulated");
    }

    // Plain cross-entropy has a path of its own, which is given log-probabilities instead of distributions.
    [Fact]
    public void Cross_entropy_of_log_probabilities_is_that_of_TRL()
    {
        using var fixture = new LossFixture("sft");
        int compared = 0;
        foreach (var golden in fixture.Cases.Where(golden => KindOf(golden) is "nll" or "nll_global"))
        {
            var rows = Rows(fixture, golden);
            float[] slopes = new float[rows.Count], chosen = [.. rows.Select(row => (float)Measure(row).LogProbability)];
            double value = new CrossEntropy((long)LossFixture.Parameter(golden, "num_items_in_batch"))
                .Evaluate(new TokenBatch([.. rows.Select(row => row.Sequence).Distinct()]), chosen, slopes);
            double[] gradient = new double[fixture.Singles(golden, "logits").Length];
            foreach (var (index, row) in rows.Index())
            {
                double[] all = PolicyCase.Logarithms(row.Logits);
                for (int i = 0; i < all.Length; i++)
                    gradient[row.Start + i] = slopes[index] * ((i == row.Target ? 1 : 0) - Math.Exp(all[i]));
            }

            Compare(fixture, golden, value, gradient);
            compared++;
        }

        compared.ShouldBePositive();
    }

    [Fact]
    public void Entropies_and_accuracies_are_those_that_TRL_logs()
    {
        using var fixture = new LossFixture("sft");
        foreach (var golden in fixture.Cases.Where(golden => golden["metrics"]?["entropy"] is not null))
        {
            double expected = golden["metrics"]!["entropy"]!.GetValue<double>();
            var rows = Rows(fixture, golden);
            rows.Average(row => Measure(row).Entropy).ShouldBe(expected, 1e-5 * Math.Max(1, expected), LossFixture.NameOf(golden));
            rows.Average(row => (double)Measure(row).Hits)
                .ShouldBe(golden["metrics"]!["mean_token_accuracy"]!.GetValue<double>(), 1e-6, LossFixture.NameOf(golden));
        }
    }

    private static void Compare(LossFixture fixture, JsonObject golden, double value, double[] gradient)
    {
        string name = LossFixture.NameOf(golden);
        LossFixture.ShouldBeNear(value, LossFixture.Loss(golden), 1e-5, name);
        LossFixture.ShouldMatch(gradient, fixture.Gradient(golden), 1e-5, name);
    }

    private static string KindOf(JsonObject golden) => LossFixture.NameOf(golden).Split('/') switch
    {
        ["accumulated", _] => "nll",
        [_, var kind] => kind,
        _ => throw new InvalidOperationException(LossFixture.NameOf(golden)),
    };

    private static RowLoss LossOf(JsonObject golden, List<Row> rows)
    {
        long tokens = (long)LossFixture.Parameter(golden, "num_items_in_batch", rows.Count);
        int sequences = rows.Select(row => row.Sequence).Distinct().Count(); // rows without a label do not count
        string kind = KindOf(golden);
        if (kind == "mean_entropy")
            return new RowLoss([new WeightedTerm(new EntropyTerm(), 1)], new StepAverage(TokenAverage.Token, tokens, sequences));
        var options = new SupervisedLossOptions
        {
            Average = kind == "per_sequence_mean" ? TokenAverage.Sequence : TokenAverage.Token,
            Rectified = kind == "dft",
            LabelSmoothing = LossFixture.Parameter(golden, "epsilon", 0),
            PartitionWeight = LossFixture.Parameter(golden, "coefficient", 0),
        };
        return options.ToLoss(tokens, sequences);
    }

    private static (double Value, double[] Gradient) Evaluate(RowLoss loss, List<Row> rows, int count)
    {
        double[] gradient = new double[count];
        double value = 0;
        foreach (var row in rows)
        {
            float[] slopes = new float[row.Logits.Length];
            value += loss.Evaluate(row.Sequence, row.Position, row.Logits, slopes);
            for (int i = 0; i < slopes.Length; i++) gradient[row.Start + i] = slopes[i];
        }

        return (value, gradient);
    }

    private static (double Value, double[] Gradient) EvaluateChunk(RowLoss loss, List<Row> rows, int count)
    {
        using var scope = NewDisposeScope();
        int width = rows[0].Logits.Length;
        var logits = tensor(rows.SelectMany(row => row.Logits).ToArray(), [rows.Count, width]);
        var (value, slopes) = loss.Evaluate(new LogitsChunk(
            [.. rows.Select(row => new LearnedToken(row.Sequence, row.Position))], logits,
            tensor(rows.Select(row => (long)row.Target).ToArray())));
        double[] gradient = new double[count];
        foreach (var (index, row) in rows.Index())
            for (int i = 0; i < width; i++) gradient[row.Start + i] = slopes.Host()[(index * width) + i];
        return (value.item<double>(), gradient);
    }

    private static PassSums Measure(Row row) => DistributionRow.Measure(row.Logits, row.Target, new float[row.Logits.Length], out _);

    // One row of logits per label; the labelled places of an example are its learned tokens.
    private static List<Row> Rows(LossFixture fixture, JsonObject golden)
    {
        float[] logits = fixture.Singles(golden, "logits");
        long[] shape = fixture.Shape(LossFixture.InputOf(golden, "logits"));
        var (time, width) = ((int)shape[1], (int)shape[2]);
        return
        [
            .. fixture.Integers(golden, "labels").Chunk(time).SelectMany((labels, example) =>
            {
                var learned = labels.Index().Where(label => label.Item != -100).ToList();
                var sequence = new TrainingSequence([0, .. learned.Select(label => label.Item)], 1);
                return learned.Select(
                    (label, position) =>
                        new Row(sequence, position, ((example * time) + label.Index) * width,
                    logits.AsSpan(((example * time) + label.Index) * width, width).ToArray()));
            }),
        ];
    }

    private sealed record Row(TrainingSequence Sequence, int Position, int Start, float[] Logits)
    {
        public int Target => Sequence.Tokens[Sequence.FirstSupervised + Position];
    }
}
