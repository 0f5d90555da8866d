using Distill.Pipeline.Handovers;
using Distill.Student.Training;

namespace Distill.Pipeline.Tests.Handovers;

/// <summary>Learning rates as TRL's schedulers give them, by transformers' formulas, beside ours.</summary>
public sealed class ScheduleTranslationTests
{
    private const int Steps = 200, Warmup = 6;
    private const double Rate = 2e-3;

    [Theory]
    [InlineData(Decay.Constant, 0, CoolDown.Linear)]
    [InlineData(Decay.Linear, 0, CoolDown.Linear)]
    [InlineData(Decay.Linear, 0.1, CoolDown.Linear)]
    [InlineData(Decay.Cosine, 0, CoolDown.Linear)]
    [InlineData(Decay.Cosine, 0.1, CoolDown.Linear)]
    [InlineData(Decay.Trapezoid, 0, CoolDown.Linear)]
    [InlineData(Decay.Trapezoid, 0.1, CoolDown.Cosine)]
    [InlineData(Decay.Trapezoid, 0, CoolDown.SquareRoot)]
    [InlineData(Decay.Polynomial, 0.05, CoolDown.Linear)]
    [InlineData(Decay.InverseSquareRoot, 0, CoolDown.Linear)]
    public void After_the_warm_up_both_give_one_rate(Decay decay, double floor, CoolDown coolDown)
    {
        var ours = new LearningRateSchedule(Rate, decay, (double)Warmup / Steps) { Floor = floor, CoolDown = coolDown };
        var (name, constants) = TrlOptions.ScheduleOf(decay, Rate, Steps, floor, coolDown);
        double Constant(string key) => constants[key]!.GetValue<double>();
        for (int step = Warmup; step < Steps; step++)
        {
            double rest = (double)(step - Warmup) / (Steps - Warmup), cosine = 0.5 * (1 + Math.Cos(Math.PI * rest));
            double theirs = Rate * name switch
            {
                "constant_with_warmup" => 1,
                "linear" => 1 - rest,
                "cosine" => cosine,
                "cosine_with_min_lr" => Constant("min_lr_rate") + (cosine * (1 - Constant("min_lr_rate"))),
                "polynomial" => ((Rate - Constant("lr_end")) * Math.Pow(1 - rest, Constant("power")) + Constant("lr_end")) / Rate,
                "inverse_sqrt" => 1 / Math.Sqrt((double)step / Warmup),
                "warmup_stable_decay" => Decayed(step),
                _ => throw new InvalidOperationException(name),
            };
            theirs.ShouldBe(ours.At(step, Steps), Rate * 1e-9, $"{name}, step {step}");
        }

        double Decayed(int step)
        {
            int falling = constants["num_decay_steps"]!.GetValue<int>();
            double progress = Math.Max(0, (double)(step - (Steps - falling)) / falling), least = Constant("min_lr_ratio");
            double factor = constants["decay_type"]!.GetValue<string>() switch
            {
                "linear" => 1 - progress, "cosine" => 0.5 * (1 + Math.Cos(Math.PI * progress)), _ => 1 - Math.Sqrt(progress),
            };
            return (factor * (1 - least)) + least;
        }
    }
}
