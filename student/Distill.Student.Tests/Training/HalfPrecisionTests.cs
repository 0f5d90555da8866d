using Distill.Student.Autograd;
using System.Text.Json.Nodes;
using Distill.Student.Fused;
using Distill.Student.Supervised;
using Distill.Student.Training;

namespace Distill.Student.Tests.Training;

/// <summary>fp16 and its loss scale.</summary>
public sealed class HalfPrecisionTests
{
    [Fact]
    public void The_scale_moves_as_PyTorchs_does()
    {
        var golden = JsonNode.Parse(File.ReadAllText(FixtureFolder.RequireFile("losses", "optimiser.json")))!["loss_scaling"]!;
        foreach (var @case in golden["cases"]!.AsArray())
        {
            double Number(string name) => @case![name]!.GetValue<double>();
            var scale = new LossScale(
                Number("init_scale"), Number("growth_factor"), Number("backoff_factor"), @case!["growth_interval"]!.GetValue<int>());
            foreach (var (step, notFinite) in @case["not_finite"]!.AsArray().Index())
            {
                var expected = @case["steps"]![step]!;
                scale.Value.ShouldBe(expected["scale_before"]!.GetValue<double>());
                scale.Update(!notFinite!.GetValue<bool>());
                scale.Value.ShouldBe(expected["scale_after"]!.GetValue<double>(), $"step {step}");
                scale.Tracker.ShouldBe(expected["growth_tracker"]!.GetValue<int>(), $"step {step}");
            }
        }
    }

    [Fact]
    public void Gradients_in_fp16_lie_closer_to_fp32_than_those_in_bf16()
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        var examples = TinyDecoder.Sequences(parameters.Architecture, 40, 50);
        var loss = new CrossEntropy(examples.Sum(example => example.SupervisedCount));
        float[] Gradient(MatmulPrecision precision)
        {
            using var model = new AutogradGradientModel(parameters, precision, roundingSeed: null);
            model.Differentiate(examples, loss);
            return model.Gradient.Host().ToArray();
        }

        float[] exact = Gradient(MatmulPrecision.Fp32);
        double half = Vectors.RelativeDifference(Gradient(MatmulPrecision.Fp16), exact);
        half.ShouldBeInRange(1e-6, 5e-3);
        half.ShouldBeLessThan(Vectors.RelativeDifference(Gradient(MatmulPrecision.Mixed), exact) / 3);
    }

    [Fact]
    public void Small_gradients_vanish_without_a_scale_and_stay_with_one()
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        var examples = TinyDecoder.Sequences(parameters.Architecture, 40);
        var loss = new CrossEntropy(10_000_000); // one micro-batch of a very large step
        using var exact = new AutogradGradientModel(parameters);
        using var half = new AutogradGradientModel(parameters, MatmulPrecision.Fp16);
        exact.Differentiate(examples, loss);
        half.Differentiate(examples, loss);
        Vectors.RelativeDifference(half.Gradient.Host(), exact.Gradient.Host()).ShouldBeLessThan(5e-3);
        parameters.LossScale.Restore(1, 0);
        half.Differentiate(examples, loss);
        Vectors.RelativeDifference(half.Gradient.Host(), exact.Gradient.Host()).ShouldBeGreaterThan(0.05);
    }

    [Fact]
    public void A_pass_that_overflows_is_done_again_with_a_smaller_scale()
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        var examples = TinyDecoder.Sequences(parameters.Architecture, 40);
        var loss = new CrossEntropy(examples.Sum(example => example.SupervisedCount));
        using var exact = new AutogradGradientModel(parameters);
        using var half = new AutogradGradientModel(parameters, MatmulPrecision.Fp16, options: new AutogradOptions(Checkpointing: true));
        parameters.LossScale.Restore(Math.Pow(2, 60), 0);
        exact.Differentiate(examples, loss);
        half.Differentiate(examples, loss);
        parameters.LossScale.Value.ShouldBeInRange(1, Math.Pow(2, 40));
        parameters.LossScale.Tracker.ShouldBe(1);
        Vectors.RelativeDifference(half.Gradient.Host(), exact.Gradient.Host()).ShouldBeLessThan(5e-3);
    }

    [Fact]
    public void A_training_in_fp16_continues_with_the_scale_it_had()
    {
        string path = Path.Combine(Directory.CreateTempSubdirectory("distill-half").FullName, "state");
        var options =
            new SupervisedOptions { Epochs = 3, BatchTokens = 30,
            Training = new TrainingOptions { LearningRate = 3e-3, Threads = 1, Precision = MatmulPrecision.Fp16 } };
        float[] whole = Train(options, null, int.MaxValue);
        Train(options, path, 3).ShouldBeEmpty();
        Train(options, path, int.MaxValue, scaleAtStart: 1).ShouldBe(whole); // what the state holds counts
        File.Delete(path);
        Train(options, path, int.MaxValue, scaleAtStart: 1).ShouldNotBe(whole);
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
    }

    private static float[] Train(SupervisedOptions options, string? state, int stopAt, double scaleAtStart = 65536)
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        parameters.LossScale.Restore(scaleAtStart, 0);
        using var stop = new CancellationTokenSource();
        try
        {
            var examples = TinyDecoder.Sequences(parameters.Architecture, 12, 15, 20, 9);
            SupervisedFineTuning.Run(parameters, examples, options, TimeProvider.System, state, report =>
            {
                if (report.Step == stopAt) stop.Cancel();
            }, stop.Token);
            return parameters.Span.ToArray();
        }
        catch (OperationCanceledException)
        {
            return [];
        }
    }
}
