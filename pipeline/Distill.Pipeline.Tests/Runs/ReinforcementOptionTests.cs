using Distill.Data.Problems;
using Distill.Pipeline.Tests.Testing;
using Distill.Student.Monitoring;
using Distill.Student.Reinforcement;
using Distill.Student.Training;
using Distill.Verification;

namespace Distill.Pipeline.Tests.Runs;

/// <summary>What reinforcement can be asked for beyond its defaults, with real rollouts of the committed base.</summary>
public sealed class ReinforcementOptionTests : IDisposable
{
    private static readonly GroupRelativeOptions Plain = TinyReinforcement.Plain;

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_reference_holds_the_policy_back()
    {
        var free = Train(Plain).Reports;
        var slow = Plain with { Steps = 8, EvaluateEvery = 8, Training = Plain.Training with { LearningRate = 5e-5 } };
        var held = Train(slow with { ReferenceWeight = 1e-12 }).Reports;
        var tight = Train(slow with { ReferenceWeight = 2 }).Reports;
        free.ShouldAllBe(report => report.ReferenceDistance == null);
        held[0].ReferenceDistance!.Value.ShouldBe(0, 1e-6); // nothing has been learned yet
        held[^1].ReferenceDistance!.Value.ShouldBeGreaterThan(0);
        tight[^1].ReferenceDistance!.Value.ShouldBeLessThan(held[^1].ReferenceDistance!.Value / 2);
    }

    [Fact]
    public void A_continued_reinforcement_keeps_its_first_reference_and_its_alarms()
    {
        string state = Path.Combine(folder.Path, "state.safetensors");
        var options = Plain with { ReferenceWeight = 0.5, Alarms = [new TruncationAlarm(0.01, 3, stops: false)] };
        var (whole, result, _) = Train(options);
        result.Findings.ShouldHaveSingleItem().Step.ShouldBe(3);
        Should.Throw<OperationCanceledException>(() => Train(options, state, stopAfter: 2));
        var (resumed, again, _) = Train(options, state);
        resumed.ShouldBe(whole);
        again.Findings.ShouldBe(result.Findings);
    }

    [Fact]
    public void Dead_groups_are_replaced_until_the_batch_is_full_or_the_rounds_are_used_up()
    {
        // Problems of even number are hopeless, so about every second group is dead.
        Verdict Judge(Problem problem, Distill.Generation.Completion completion) =>
            TinyReinforcement.Problems.Index().First(place => place.Item == problem).Index % 2 == 1 && completion.Tokens.Sum() % 2 == 0
                ? Verdict.Correct
                : Verdict.Incorrect;
        var options = Plain with { Steps = 2, Samples = 6, EvaluateEvery = 2 };
        var kept = Train(options, judge: Judge).Reports;
        var (weights, _, replaced) = Train(options with { ResampleRounds = 3 }, judge: Judge);
        kept.ShouldAllBe(report => report.Resampled == 0 && report.StayedDead == 0);
        replaced.ShouldAllBe(report => report.Resampled > 0 && report.Resampled <= 9);
        replaced.ShouldAllBe(report => report.StayedDead <= report.Resampled - 1);
        Train(options with { ResampleRounds = 3 }, judge: Judge).Weights.ShouldBe(weights);
        var hopeless = Train(options with { ResampleRounds = 2 }, judge: (_, _) => Verdict.Incorrect).Reports;
        hopeless.ShouldAllBe(report => report.Resampled == 6 && report.StayedDead == 3 && report.GradientNorm == 0);
    }

    [Fact]
    public void An_alarm_that_stops_ends_with_the_best_weights()
    {
        var (weights, result, reports) = Train(
            Plain with { Alarms = [new HeldOutPatience(1)] },
            judge: (_, completion) => completion.Tokens.Count > 1000 ? Verdict.Correct : Verdict.Incorrect);
        result.Steps.ShouldBe(2); // the first look is the best, the second does no better
        reports.Count.ShouldBe(2);
        result.Findings.ShouldHaveSingleItem().Stops.ShouldBeTrue();
        weights.ShouldBe(TinyReinforcement.Start());
    }

    [Theory]
    [InlineData(RatioLevel.Sequence, PolicyAggregation.Sequence, AdvantageScale.Group)]
    [InlineData(RatioLevel.Token, PolicyAggregation.TokenLimit, AdvantageScale.None)]
    [InlineData(RatioLevel.Token, PolicyAggregation.Token, AdvantageScale.LeaveOneOut)]
    public void Variants_learn_something_else(RatioLevel ratio, PolicyAggregation aggregation, AdvantageScale scale)
    {
        var (weights, _, reports) = Train(Plain with { Ratio = ratio, Aggregation = aggregation, Scale = scale });
        reports.ShouldContain(report => report.GradientNorm > 0);
        reports.ShouldAllBe(report => report.LargestMismatch < 0.01 && report.RewardParts["verdict"] == report.MeanReward);
        weights.ShouldNotBe(Train(Plain).Weights);
    }

    [Theory]
    [InlineData("top entropy")]
    [InlineData("capped")]
    [InlineData("sapo")]
    [InlineData("vespo")]
    public void Surrogates_and_uncertain_tokens_learn_something_else(string name)
    {
        // With one update all ratios are 1.
        var plain = Plain with { UpdatesPerBatch = 3, Training = Plain.Training with { LearningRate = 2e-3 } };
        var options = name switch
        {
            "capped" => plain with { Surrogate = new CappedWeightSurrogate(5) },
            "sapo" => plain with { Surrogate = new SoftGateSurrogate() },
            "vespo" => plain with
            {
                Surrogate = new GammaWeightSurrogate(new GammaWeight(2, 3), new GammaWeight(3, 2)),
                Ratio = RatioLevel.Product,
            },
            _ => plain with { TopEntropy = 0.2 },
        };
        var (weights, _, reports) = Train(options);
        reports.ShouldContain(report => report.GradientNorm > 0);
        float[] clipped = Train(plain).Weights;
        weights.ShouldNotBe(clipped);
        clipped.ShouldNotBe(Train(plain with { UpdatesPerBatch = 1 }).Weights);
        string state = Path.Combine(folder.Path, "state.safetensors");
        Should.Throw<OperationCanceledException>(() => Train(options, state, stopAfter: 2));
        Should.Throw<UnusableStateException>(() => Train(plain, state)).Message.ShouldContain("another training");
        Train(options, state).Weights.ShouldBe(weights);
    }

    [Fact]
    public void Bounds_of_the_ratio_are_met_from_the_second_update_on()
    {
        Train(Plain).Reports.ShouldAllBe(report => report.Clipped == null);
        var often = Train(Plain with { UpdatesPerBatch = 4, Training = Plain.Training with { LearningRate = 5e-3 } }).Reports;
        often.ShouldContain(report => report.Clipped!.Value.Low > 0);
        often.ShouldContain(report => report.Clipped!.Value.High > 0);
        often.ShouldAllBe(report => report.Clipped!.Value.Low + report.Clipped!.Value.High < 1);
    }

    private static (float[] Weights, ReinforcementResult Result, List<ReinforcementStepReport> Reports) Train(
        GroupRelativeOptions options, string? state = null, int stopAfter = int.MaxValue, CompletionJudge? judge = null) =>
        TinyReinforcement.Train(options, state, stopAfter, judge);
}
