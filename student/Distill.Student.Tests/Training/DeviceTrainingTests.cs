using Distill.Data.Problems;
using Distill.Generation;
using Distill.Student.Distillation;
using Distill.Student.Fused;
using Distill.Student.Model;
using Distill.Student.Preference;
using Distill.Student.Pruning;
using Distill.Student.Reinforcement;
using Distill.Student.Supervised;
using Distill.Student.Tests.Preference;
using Distill.Student.Training;
using Distill.Verification;

namespace Distill.Student.Tests.Training;

/// <summary>
/// Whole trainings as they run on any device — autograd and passes by tensors, here on the CPU — against those by the processor's own
/// passes.
/// </summary>
[Collection(nameof(CountedTensors))]
public sealed class DeviceTrainingTests : IDisposable
{
    private const int Steps = 20;

    private static readonly TrainingOptions Training =
        new() { LearningRate = 2e-3, Threads = 2, MicroBatchTokens = 64, Precision = MatmulPrecision.Fp32 };

    private readonly string folder = Directory.CreateTempSubdirectory("distill-device").FullName;

    public static TheoryData<string> Kinds => ["plain", "averaged", "held out", "smoothed", "soft labels"];

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory, MemberData(nameof(Kinds))]
    public void Fine_tuning_takes_the_same_twenty_steps(string kind)
    {
        var (fused, tensors) = (FineTuned(kind, byTensors: false), FineTuned(kind, byTensors: true));
        tensors.Losses.Count.ShouldBe(Steps);
        Vectors.RelativeDifference([.. tensors.Losses], [.. fused.Losses]).ShouldBeLessThan(1e-4);
        Vectors.RelativeDifference(tensors.Weights, fused.Weights).ShouldBeLessThan(1e-4);
    }

    [Theory]
    [InlineData("sigmoid")]
    [InlineData("orpo")]
    public void Preference_tuning_takes_the_same_steps(string loss)
    {
        float[] Tuned(bool byTensors)
        {
            using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture(), byTensors: byTensors);
            var options = new PreferenceOptions { Epochs = 10, PairsPerStep = 3, Loss = loss, Training = Training };
            PreferenceTuning.Run(
                parameters, TinyPairs.Of(parameters.Architecture, 6), options, TimeProvider.System, null, _ => { }, CancellationToken.None);
            return parameters.Span.ToArray();
        }

        Vectors.RelativeDifference(Tuned(byTensors: true), Tuned(byTensors: false)).ShouldBeLessThan(1e-4);
    }

    // Twenty updates on rollouts with advantages, clipped ratios and a pull towards the start.
    [Fact]
    public void Policy_optimisation_takes_the_same_steps()
    {
        float[] Optimised(bool byTensors)
        {
            using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture(), byTensors: byTensors);
            var options = new GroupRelativeOptions { ReferenceWeight = 0.05, Training = Training };
            using var reference = new PolicyReference(parameters, options);
            using var optimizer = new AdamW(parameters, Training.Optimizer);
            using var model = GradientModels.Create(parameters, Training);
            var rollouts = reference.Score(Rollouts(model), CancellationToken.None);
            long tokens = rollouts.Sum(rollout => (long)rollout.SupervisedCount);
            var divisor = new PolicyDivisor(options.Aggregation, tokens, rollouts.Count, 64);
            var loss = new PolicyLoss(options.ToSurrogate(), options.Ratio, divisor, options.ToReference());
            for (int step = 0; step < Steps; step++)
            {
                model.Differentiate(rollouts, loss);
                optimizer.Update(model.Gradient, 1e-3);
            }

            return parameters.Span.ToArray();
        }

        Vectors.RelativeDifference(Optimised(byTensors: true), Optimised(byTensors: false)).ShouldBeLessThan(1e-4);
    }

    // Random weights and whole sequences learned, as in pretraining.
    [Fact]
    public void Pretraining_takes_the_same_steps()
    {
        float[] Pretrained(bool byTensors)
        {
            using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture(), byTensors: byTensors);
            parameters.Initialize(5);
            using var optimizer = new AdamW(parameters, Training.Optimizer);
            using var model = GradientModels.Create(parameters, Training);
            var sequences = TinyDecoder.Sequences(parameters.Architecture, 30, 40, 22, 64)
                .Select(sequence => sequence with { FirstSupervised = 1 }).ToList();
            var source = new EpochSource(sequences, epochs: 12, batchTokens: 80, seed: 3);
            SupervisedFineTuning.RunSteps(
                model, optimizer, Training.ToSchedule(), source, TimeProvider.System, _ => { }, CancellationToken.None);
            optimizer.Steps.ShouldBeGreaterThanOrEqualTo(Steps);
            return parameters.Span.ToArray();
        }

        Vectors.RelativeDifference(Pretrained(byTensors: true), Pretrained(byTensors: false)).ShouldBeLessThan(1e-4);
    }

    [Theory]
    [InlineData(MatmulPrecision.Fp32)]
    [InlineData(MatmulPrecision.Mixed)]
    [InlineData(MatmulPrecision.Fp16)]
    public void A_training_continued_after_a_stop_is_the_one_left_alone(MatmulPrecision precision)
    {
        string state = Path.Combine(folder, "state");
        var whole = FineTuned("averaged", byTensors: true, precision);
        Should.Throw<OperationCanceledException>(() => FineTuned("averaged", byTensors: true, precision, state, stopAt: 7));
        var rest = FineTuned("averaged", byTensors: true, precision, state);
        rest.Losses.Count.ShouldBe(Steps - 7);
        rest.Weights.ShouldBe(whole.Weights);
    }

    [Fact]
    public void Live_tensors_stay_flat()
    {
        var counts = new List<long>();
        FineTuned("soft labels", byTensors: true, afterStep: () => counts.Add(TorchSharp.torch.Tensor.TotalCount));
        counts[^1].ShouldBeLessThanOrEqualTo(counts[1]);
    }

    [Fact]
    public void What_a_pruning_measures_is_the_same()
    {
        using FlatParameters fused = TinyDecoder.Parameters(TinyDecoder.Architecture()),
            tensors = TinyDecoder.Parameters(TinyDecoder.Architecture(), byTensors: true);
        var sample = TinyDecoder.Sequences(fused.Architecture, 12, 30);
        var (one, other) = (DecoderPruning.Measure(fused, sample), DecoderPruning.Measure(tensors, sample));
        other.Select(layer => layer.Change).ShouldBe(one.Select(layer => layer.Change));
    }

    private static (float[] Weights, List<float> Losses) FineTuned(
        string kind, bool byTensors, MatmulPrecision precision = MatmulPrecision.Fp32, string? state = null, int stopAt = int.MaxValue,
        Action? afterStep = null)
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture(), byTensors: byTensors);
        using var stop = new CancellationTokenSource();
        var examples = TinyDecoder.Sequences(parameters.Architecture, 12, 15, 20, 25);
        var options = Options(kind) with { Training = Training with { Precision = precision } };
        if (options.SoftLabels is not null) examples = [.. examples.Select(WithTeacher)];
        var losses = new List<float>();
        SupervisedFineTuning.Run(
            parameters, examples, options.HeldOut is null ? [] : [.. examples.Take(2)], options, TimeProvider.System, state,
            step =>
            {
                losses.Add((float)step.Loss);
                afterStep?.Invoke();
                if (step.Step == stopAt) stop.Cancel();
            },
            stop.Token);
        return (parameters.Span.ToArray(), losses);
    }

    private static SupervisedOptions Options(string kind)
    {
        var plain = new SupervisedOptions { Epochs = Steps / 2, BatchTokens = 32 };
        return kind switch
        {
            "averaged" => plain with { WeightAverage = 0.8 },
            "held out" => plain with { HeldOut = new HeldOutOptions(Every: 5) },
            "smoothed" => plain with
            {
                Loss = new SupervisedLossOptions { LabelSmoothing = 0.1, EntropyBonus = 0.05, PartitionWeight = 1e-3 },
            },
            "soft labels" => plain with
            {
                SoftLabels = new SoftLabelOptions(
                    new TopTokenDivergence(new JensenShannonDivergence(0.3), TokenSupport.TailBucket, 2), 0.6),
            },
            _ => plain,
        };
    }

    private static TrainingSequence WithTeacher(TrainingSequence sequence)
    {
        int learned = sequence.SupervisedCount;
        int[] ids = [.. Enumerable.Range(0, learned).SelectMany(row => (int[])[sequence.Tokens[sequence.FirstSupervised + row], 60])];
        return TeacherSequence.Of(
            sequence.Tokens, sequence.FirstSupervised, ids, [.. ids.Select((_, index) => index % 2 == 0 ? -0.2f : -2f)]);
    }

    private static List<Rollout> Rollouts(IGradientModel model)
    {
        var sequences = TinyDecoder.Sequences(model.Parameters.Architecture, 12, 17, 30, 21);
        var sampled = model.Score(sequences);
        var problem = new Problem("x", "arithmetic", "arithmetic", Split.Train, 1, "1 + 1", "2", null, "1+1");
        return [.. sequences.Select((sequence, index) => new Rollout(
            sequence.Tokens, sequence.FirstSupervised, problem,
            new Completion([.. sequence.Tokens.Skip(sequence.FirstSupervised)], sampled[index], StopReason.StopToken, 1),
            Verdict.Correct, 1)
        { Advantage = index % 2 == 0 ? 1 : -0.7f })];
    }
}
