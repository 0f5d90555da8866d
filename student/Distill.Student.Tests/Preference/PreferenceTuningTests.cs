using Distill.Student.Fused;
using Distill.Student.Preference;
using Distill.Student.Supervised;
using Distill.Student.Training;

namespace Distill.Student.Tests.Preference;

public sealed class PreferenceTuningTests
{
    private static readonly PreferenceOptions Options = new()
    {
        Epochs = 12,
        PairsPerStep = 4,
        Constants = new PreferenceLossOptions { Beta = 0.5 },
        Training = new TrainingOptions { LearningRate = 1e-3, Threads = 2, MicroBatchTokens = 32, Precision = MatmulPrecision.Fp32 },
    };

    public static TheoryData<string> Losses => [.. PreferenceLosses.All.Select(kind => kind.Name)];

    [Theory, MemberData(nameof(Losses))]
    public void Tuned_completions_are_told_apart(string name)
    {
        var kind = PreferenceLosses.Get(name);
        var reports =
            Train(Options with { Loss = name,
            Constants = Options.Constants with { Beta = kind.DefaultBeta, LabelSmoothing = kind.DefaultLabelSmoothing } }).Reports;
        reports.Count.ShouldBe(24);
        if (kind.UsesReference)
        {
            reports[0].Metrics.Chosen.ShouldBe(0, 1e-5); // nothing has been learned yet
            reports[0].Metrics.Rejected.ShouldBe(0, 1e-5);
        }

        reports[^1].Metrics.Margin.ShouldBeGreaterThan(reports[0].Metrics.Margin);
        if (kind.UsesReference) reports[^1].Metrics.Accuracy.ShouldBe(1);
        reports[0].Step.GradientNorm.ShouldBeGreaterThan(0);
        reports.ShouldAllBe(report => report.Step.LearnedTokens > 0 && report.Step.LearnedTokens < report.Step.Tokens);
    }

    // Central differences of the step's loss along its gradient: the two passes together are the derivative of the loss over the whole
    // step.
    [Theory]
    [InlineData("sigmoid")]
    [InlineData("aot")]
    [InlineData("ipo")]
    [InlineData("orpo")]
    [InlineData("apo_down")]
    public void The_gradient_of_a_step_is_that_of_its_loss(string name)
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        using var model = new FusedGradientModel(parameters, MatmulPrecision.Fp32, 2, 40);
        var kind = PreferenceLosses.Get(name);
        var loss = kind.Create(new PreferenceLossOptions { Beta = 0.5 });
        var pairs = TinyPairs.Of(parameters.Architecture, 5);
        int[] all = [0, 1, 2, 3, 4];
        var scores = new PreferenceScores(model, pairs, kind);
        // away from the reference, where sorted values are all equal
        float[] start = [.. parameters.Span.ToArray().Select((value, i) => value + (1e-3f * ((i % 7) - 3)))];
        start.CopyTo(parameters.Span);
        var slopes = new PairSlopes[pairs.Count];
        loss.Evaluate(scores.Score(all, default), slopes);
        model.Differentiate(
            [.. pairs.Select((pair, i) => Weighted(pair.Chosen, slopes[i].Chosen)),
            .. pairs.Select((pair, i) => Weighted(pair.Rejected, slopes[i].Rejected))], new LinearTokenLoss());
        float[] gradient = model.Gradient.Host().ToArray();
        double squares = gradient.Sum(value => (double)value * value), length = 3e-3 / Math.Sqrt(squares);
        double difference = (Value(length) - Value(-length)) / (2 * length);
        difference.ShouldBe(squares, 0.01 * squares);

        double Value(double step)
        {
            for (int i = 0; i < gradient.Length; i++) parameters.Span[i] = (float)(start[i] + (step * gradient[i]));
            return loss.Evaluate(scores.Score(all, default), new PairSlopes[pairs.Count]);
        }
    }

    [Fact]
    public void Weights_that_did_no_better_than_the_start_are_not_taken()
    {
        using var start = TinyDecoder.Parameters(TinyDecoder.Architecture());
        var heldOut = new Falling();
        var (weights, result, reports) = Train(Options with { HeldOut = new HeldOutOptions(2, Patience: 3) }, heldOut);
        weights.ShouldBe(start.Span.ToArray());
        result.Start.ShouldBe(new HeldOutLook(0, -1));
        result.Training.Best.ShouldBe(result.Start);
        reports.Count.ShouldBe(6); // three looks, two steps apart
    }

    [Fact]
    public void Pairs_are_seen_once_an_epoch_in_steps_of_equally_many()
    {
        var source = new PairSource(pairs: 21, epochs: 2, pairsPerStep: 5, seed: 3);
        source.Steps.ShouldBe(8);
        foreach (int epoch in (int[])[0, 4])
        {
            Enumerable.Range(epoch, 4).SelectMany(source.At).Order().ShouldBe(Enumerable.Range(0, 21));
            source.At(epoch + 3).Count.ShouldBe(6); // one pair is too few for a step
        }

        source.At(0).ShouldNotBe(source.At(4));
        new PairSource(23, 1, 5, 3).Steps.ShouldBe(5);
        Should.Throw<ArgumentException>(() => new PairSource(0, 1, 5, 3));
    }

    [Fact]
    public void Unrelated_completions_have_the_prompt_of_their_pair_and_the_answer_of_another()
    {
        var pairs = TinyPairs.Of(TinyDecoder.Architecture(), 3);
        PreferencePair[] all = [pairs[0], pairs[0], pairs[1], pairs[2]]; // two pairs of one problem
        var unrelated = UnrelatedCompletions.Of(all);
        TrainingSequence[] answers = [pairs[1].Chosen, pairs[1].Rejected, pairs[2].Chosen, pairs[0].Rejected];
        int longest = all.Max(pair => pair.Longest);
        for (int i = 0; i < all.Length; i++)
        {
            unrelated[i].FirstSupervised.ShouldBe(all[i].Chosen.FirstSupervised);
            unrelated[i].Tokens.ShouldBe(
                all[i].Chosen.Tokens.Take(all[i].Chosen.FirstSupervised).Concat(answers[i].Tokens.Skip(answers[i].FirstSupervised))
                .Take(longest));
        }

        UnrelatedCompletions.Of([pairs[0], pairs[0]]).ShouldBeEmpty();
    }

    private static WeightedSequence Weighted(TrainingSequence sequence, double slope) =>
        new(sequence.Tokens, sequence.FirstSupervised, slope);

    private static (float[] Weights, PreferenceResult Result, List<PreferenceStepReport> Reports) Train(
        PreferenceOptions options, IHeldOutMeasure? heldOut = null)
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        var reports = new List<PreferenceStepReport>();
        var result = PreferenceTuning.Run(
            parameters, TinyPairs.Of(parameters.Architecture, 8), options, TimeProvider.System, null, reports.Add,
            TestContext.Current.CancellationToken, heldOut);
        return (parameters.Span.ToArray(), result, reports);
    }

    private sealed class Falling : IHeldOutMeasure
    {
        private int looks;

        public string Name => "falling";

        public bool HigherIsBetter => true;

        public int Longest => 0;

        public double Of(IGradientModel model, CancellationToken cancellation) => -++looks;

        public void AddTo(TrainingDigest digest) => digest.Add(Name);
    }
}
