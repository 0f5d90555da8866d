using System.Text.Json.Nodes;
using Distill.Architecture;
using Distill.Student.Model;
using Distill.Student.Training;

namespace Distill.Student.Tests.Training;

/// <summary>The optimizer, its clipping, the schedules and the average against PyTorch and transformers.</summary>
public sealed class OptimizerGoldenTests : IDisposable
{
    private readonly JsonNode golden = JsonNode.Parse(File.ReadAllText(FixtureFolder.RequireFile("losses", "optimiser.json")))!;
    private readonly SafeTensorsFile tensors = SafeTensorsFile.Open(FixtureFolder.RequireFile("losses", "optimiser.safetensors"));

    public void Dispose() => tensors.Dispose();

    // The vector lies in a matrix, which decays; amsgrad is not offered.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_step_of_AdamW_is_that_of_PyTorch(bool byTensors)
    {
        float[] start = tensors.ReadSingles("adamw/start"), target = tensors.ReadSingles("adamw/target"),
            curvature = tensors.ReadSingles("adamw/curvature");
        foreach (var golden in golden["adamw"]!["cases"]!.AsArray().Where(golden => golden!["options"]!["amsgrad"] is null))
        {
            var options = golden!["options"]!;
            double Option(string name) => options[name]!.GetValue<double>();
            using var parameters = Holding(start.Length, byTensors);
            start.CopyTo(parameters.Span);
            double beta1 = options["betas"]![0]!.GetValue<double>(), beta2 = options["betas"]![1]!.GetValue<double>();
            using var optimizer = new AdamW(
                parameters, new AdamWOptions(beta1, beta2, Option("eps"), Option("weight_decay"), MaxGradientNorm: 0));
            float[] expected = tensors.ReadSingles(golden["parameters"]!.GetValue<string>()), gradient = new float[parameters.Count];
            int steps = golden["losses"]!.AsArray().Count;
            for (int step = 0; step < steps; step++)
            {
                for (int i = 0; i < start.Length; i++)
                {
                    double x = parameters.Span[i];
                    gradient[i] = (float)(curvature[i] * (x - target[i]) + 0.3 * Math.Cos(3 * x));
                }

                optimizer.Update(gradient, Option("lr"));
                for (int i = 0; i < start.Length; i++)
                {
                    double wanted = expected[step * start.Length + i];
                    ((double)parameters.Span[i]).ShouldBe(wanted, 1e-6 * Math.Max(1, Math.Abs(wanted)), $"{golden["name"]} step {step}");
                }
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Clipping_takes_the_factor_of_PyTorch(bool byTensors)
    {
        foreach (var golden in golden["clip"]!["cases"]!.AsArray())
        {
            double norm = golden!["total_norm"]!.GetValue<double>(), most = golden["max_norm"]!.GetValue<double>(),
                factor = golden["factor"]!.GetValue<double>();
            using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture(), byTensors: byTensors);
            // With β1 = 0 the first moment is the clipped gradient itself.
            var optimizer = new AdamW(parameters, new AdamWOptions(Beta1: 0, MaxGradientNorm: most));
            float[] gradient = new float[parameters.Count];
            (gradient[0], gradient[9]) = ((float)(0.6 * norm), (float)(-0.8 * norm));
            optimizer.Update(gradient, 0.01).ShouldBe(norm, 1e-5 * Math.Max(1, norm));
            ((double)optimizer.FirstMoment.Host()[0]).ShouldBe(0.6 * norm * factor, 1e-5 * Math.Max(1, most));
            ((double)optimizer.FirstMoment.Host()[9]).ShouldBe(-0.8 * norm * factor, 1e-5 * Math.Max(1, most));
        }
    }

    // PyTorch raises where it is asked to; here nobody has to ask, and nothing is changed by then.
    [Fact]
    public void A_gradient_that_is_not_finite_is_refused_as_PyTorch_does_on_request()
    {
        var cases = golden["clip"]!["not_finite"]!["cases"]!.AsArray()
            .Where(golden => golden!["error_if_nonfinite"]!.GetValue<bool>()).ToList();
        cases.ShouldNotBeEmpty();
        foreach (var golden in cases)
        {
            golden!["raises"]!.GetValue<bool>().ShouldBeTrue();
            float bad = golden["bad_value"]!.GetValue<string>() switch
            {
                "nan" => float.NaN,
                "inf" => float.PositiveInfinity,
                _ => float.NegativeInfinity,
            };
            using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
            float[] before = parameters.Span.ToArray(), gradient = new float[parameters.Count];
            (gradient[0], gradient[1], gradient[2]) = (1, bad, 2);
            double.IsFinite(new AdamW(parameters, new AdamWOptions()).Update(gradient, 0.01)).ShouldBeFalse();
            parameters.Span.ToArray().ShouldBe(before);
        }
    }

    // A departure: our warm-up starts a thousandth of the training in, so that the first update is not wasted on a rate of 0, and never at
    // the floor.
    [Theory]
    [InlineData("linear", Decay.Linear)]
    [InlineData("cosine", Decay.Cosine)]
    [InlineData("cosine_with_min_lr", Decay.Cosine)]
    [InlineData("constant_with_warmup", Decay.Constant)]
    [InlineData("warmup_stable_decay", Decay.Trapezoid)]
    [InlineData("polynomial", Decay.Polynomial)]
    [InlineData("inverse_sqrt", Decay.InverseSquareRoot)]
    public void Schedules_after_the_warm_up_are_those_of_transformers(string name, Decay decay)
    {
        int compared = 0;
        foreach (var golden in golden["schedules"]!["cases"]!.AsArray().Where(golden => golden!["name"]!.GetValue<string>() == name))
        {
            int warmup = golden!["warmup"]!.GetValue<int>(), steps = golden["steps"]!.GetValue<int>();
            double peak = golden["base_lr"]!.GetValue<double>(), falling = golden["options"]!["num_decay_steps"]?.GetValue<double>() ?? 0;
            double least = golden["options"]!["min_lr_ratio"]?.GetValue<double>() ?? 0;
            var schedule = new LearningRateSchedule(peak, decay, (double)warmup / steps, falling / steps)
            {
                Floor = golden["options"]!["min_lr_rate"]?.GetValue<double>()
                    ?? golden["options"]!["lr_end"]?.GetValue<double>() / peak ?? least,
                CoolDown = golden["options"]!["decay_type"]?.GetValue<string>() switch
                {
                    "cosine" => CoolDown.Cosine,
                    "1-sqrt" => CoolDown.SquareRoot,
                    _ => CoolDown.Linear,
                },
                Power = golden["options"]!["power"]?.GetValue<double>() ?? 2,
                Timescale = warmup == 0 ? 10_000.0 / steps : null,
            };
            double[] rates = [.. golden["lr"]!.AsArray().Select(rate => rate!.GetValue<double>())];
            for (int step = warmup; step < rates.Length; step++)
                schedule.At((double)step / steps).ShouldBe(rates[step], 1e-9 * peak, $"{name} step {step}");
            for (int step = 0; step < warmup; step++)
                schedule.At((double)step / steps)
                    .ShouldBe(peak * (step + (1e-3 * steps)) / (warmup + (1e-3 * steps)), 1e-12 * peak, $"{name} warm-up {step}");
            compared++;
        }

        compared.ShouldBePositive();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_moving_average_is_that_of_PyTorch(bool byTensors)
    {
        foreach (var golden in golden["ema"]!["cases"]!.AsArray())
        {
            string name = golden!["values"]!.GetValue<string>();
            float[] expected = tensors.ReadSingles(name), start = tensors.ReadSingles("adamw/start"),
                target = tensors.ReadSingles("adamw/target"), live = new float[start.Length];
            using var parameters = Holding(start.Length, byTensors);
            using var average = new WeightAverage(parameters, golden["decay"]!.GetValue<double>());
            for (int update = 0; update < expected.Length / start.Length; update++)
            {
                for (int i = 0; i < live.Length; i++) parameters.Span[i] = (float)(start[i] * Math.Cos(update) + target[i] * 0.1 * update);
                average.Add(parameters.Values);
                for (int i = 0; i < live.Length; i++)
                    ((double)average.Values.Host()[i]).ShouldBe(expected[update * live.Length + i], 1e-5, $"{name} update {update}");
            }
        }
    }

    // The values lie in the embedding, which is the first tensor.
    private static FlatParameters Holding(int count, bool byTensors)
    {
        var wide = TinyDecoder.Architecture();
        return TinyDecoder.Parameters(wide with { VocabularySize = Math.Max(wide.VocabularySize, count) }, byTensors: byTensors);
    }
}
