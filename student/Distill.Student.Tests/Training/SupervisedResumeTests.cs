using Distill.Architecture;
using Distill.Student.Adapters;
using Distill.Student.Fused;
using Distill.Student.Supervised;
using Distill.Student.Training;

namespace Distill.Student.Tests.Training;

/// <summary>
/// A fine-tuning stopped after every one of its steps and continued by fresh objects, against one left alone and against a cold start.
/// </summary>
public sealed class SupervisedResumeTests : IDisposable
{
    // Steps of three sequences in micro-batches of at most 32 tokens, so every step accumulates.
    private static readonly SupervisedOptions Plain = new()
    {
        Epochs = 3,
        BatchTokens = 48,
        Training = new TrainingOptions { LearningRate = 3e-3, Threads = 1, MicroBatchTokens = 32, Precision = MatmulPrecision.Fp32 },
    };

    private static readonly LowRankOptions LowRank = new(2, 4, LowRankOptions.AllTargets);

    private readonly string folder = Directory.CreateTempSubdirectory("distill-resume").FullName;

    public static TheoryData<string> Cases => ["plain", "averaged", "held out", "adapters",
        "adapters, averaged, held out", "other loss", "muon"];

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory, MemberData(nameof(Cases))]
    public void A_training_continued_at_any_step_is_the_one_left_alone(string name)
    {
        var options = Of(name);
        string end = Path.Combine(folder, "end");
        var whole = Train(options, end, stopAt: int.MaxValue);
        int steps = whole.Reports.Count;
        steps.ShouldBeGreaterThan(5);
        for (int stop = 1; stop < steps; stop++)
        {
            string state = Path.Combine(folder, $"{stop}");
            var first = Train(options, state, stop);
            first.Result.ShouldBeNull();
            var second = Train(options, state, int.MaxValue);
            second.Weights.ShouldBe(whole.Weights, $"stopped at {stop}");
            first.Reports.Concat(second.Reports).ShouldBe(whole.Reports);
            second.Result.ShouldBe(whole.Result);
            // Cold: what is left of the steps, without the state.
            File.Delete(state);
            Train(options with { Epochs = 1 }, state, int.MaxValue).Weights.ShouldNotBe(whole.Weights);
        }
    }

    // The state of step k reached with and without a stop has the same bytes: weights, moments, average, looks and counts.
    [Theory, MemberData(nameof(Cases))]
    public void The_state_of_a_step_does_not_depend_on_the_stops_before_it(string name)
    {
        string one = Path.Combine(folder, "one"), two = Path.Combine(folder, "two");
        Train(Of(name), one, stopAt: 5);
        Train(Of(name), two, stopAt: 2);
        byte[] early = File.ReadAllBytes(two);
        Train(Of(name), two, stopAt: 5);
        File.ReadAllBytes(two).ShouldBe(File.ReadAllBytes(one));
        early.ShouldNotBe(File.ReadAllBytes(one));
    }

    [Fact]
    public void A_step_broken_off_between_its_micro_batches_is_done_again()
    {
        string state = Path.Combine(folder, "state");
        Train(Plain, state, stopAt: 3);
        Should.Throw<TimeoutException>(() => Train(Plain, state, int.MaxValue, failAt: 5)); // a kill: nothing is saved on the way out
        Train(Plain, state, int.MaxValue).Weights.ShouldBe(Train(Plain, null, int.MaxValue).Weights);
    }

    [Fact]
    public void A_look_that_is_broken_off_leaves_the_state_before_its_step()
    {
        string state = Path.Combine(folder, "state");
        var options = Of("held out");
        Train(options, state, stopAt: 3);
        byte[] before = File.ReadAllBytes(state);
        Train(options, state, stopAt: int.MaxValue, breakLookAt: 4).Result.ShouldBeNull();
        File.ReadAllBytes(state).ShouldBe(before);
        Train(options, state, int.MaxValue).Weights.ShouldBe(Train(options, null, int.MaxValue).Weights);
    }

    [Fact]
    public void A_state_of_another_training_is_refused()
    {
        string state = Path.Combine(folder, "state");
        Train(Plain, state, stopAt: 2);
        foreach (var other in (SupervisedOptions[])[
            Plain with { Seed = 2 }, Plain with { Epochs = 4 }, Plain with { LowRank = LowRank }, Of("held out"), Of("other loss"),
            Of("muon")])
            Should.Throw<UnusableStateException>(() => Train(other, state, int.MaxValue)).Message.ShouldContain("another training");
    }

    // Passes that come to round otherwise than these do get another number.
    [Theory]
    [InlineData(16, MatmulPrecision.Fp32, null, false)]
    [InlineData(16, MatmulPrecision.Mixed, null, false)]
    [InlineData(16, MatmulPrecision.Fp16, null, true)]
    [InlineData(24, MatmulPrecision.Fp32, null, true)]
    [InlineData(16, MatmulPrecision.Fp32, FrozenForm.Float, false)]
    [InlineData(24, MatmulPrecision.Fp32, FrozenForm.Float, true)]
    [InlineData(16, MatmulPrecision.Fp32, FrozenForm.Int8, true)]
    public void A_state_names_the_passes_that_are_not_the_fused_ones(int headSize, MatmulPrecision precision, FrozenForm? form, bool named)
    {
        var options = Plain with
        {
            Training = Plain.Training with { Precision = precision },
            LowRank = form is { } frozen ? LowRank with { Frozen = frozen } : null,
        };
        string state = Path.Combine(folder, "state");
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture() with { HeadSize = headSize });
        var examples = TinyDecoder.Sequences(parameters.Architecture, 12, 15);
        using var expected = new TrainingDigest();
        expected.Add("supervised").Add(parameters.Values).Add(examples).Add(options.Training)
            .Add(options.Epochs, options.BatchTokens, (long)options.Seed).Add(-1.0, -1).Add(0L, 0);
        if (named) expected.Add("passes").Add(2L);
        else expected.Add("fused passes").Add(2L);
        options.LowRank?.AddTo(expected);
        using var stop = new CancellationTokenSource();
        Should.Throw<OperationCanceledException>(() => SupervisedFineTuning.Run(
            parameters, examples, [], options, TimeProvider.System, state, _ => stop.Cancel(), stop.Token));
        using var file = SafeTensorsFile.Open(state);
        file.Metadata.Values.ShouldContain(expected.Finish());
    }

    private static SupervisedOptions Of(string name) => Plain with
    {
        Training = Plain.Training with { Optimizer = new AdamWOptions(Muon: name == "muon") },
        WeightAverage = name.Contains("averaged", StringComparison.Ordinal) ? 0.8 : null,
        HeldOut = name.Contains("held out", StringComparison.Ordinal) ? new HeldOutOptions(2) : null,
        LowRank = name.Contains("adapters", StringComparison.Ordinal) ? LowRank : null,
        Loss = name == "other loss"
        ? new SupervisedLossOptions { Average = TokenAverage.Sequence, Rectified = true, LabelSmoothing = 0.1, PartitionWeight = 1e-3,
        EntropyBonus = 0.01 } : null,
    };

    private static (float[] Weights, List<StepReport> Reports, SupervisedResult? Result) Train(
        SupervisedOptions options, string? state, int stopAt, int failAt = int.MaxValue, int breakLookAt = int.MaxValue)
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        var sequences = TinyDecoder.Sequences(parameters.Architecture, 12, 15, 20, 25, 30, 9, 14, 18);
        using var stop = new CancellationTokenSource();
        var reports = new List<StepReport>();
        try
        {
            var result = SupervisedFineTuning.Run(parameters, [.. sequences.Take(6)], options, TimeProvider.System, state, report =>
            {
                if (report.Step == failAt) throw new TimeoutException();
                reports.Add(report with { Seconds = 0 });
                if (report.Step == stopAt) stop.Cancel();
            }, stop.Token, new HeldOutLoss([.. sequences.Skip(6)]), look =>
            {
                if (look.Step == breakLookAt) throw new OperationCanceledException();
            });
            return (parameters.Span.ToArray(), reports, result);
        }
        catch (OperationCanceledException)
        {
            return ([], reports, null);
        }
    }
}
