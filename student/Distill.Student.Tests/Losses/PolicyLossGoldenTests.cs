using Distill.Student.Reinforcement;

namespace Distill.Student.Tests.Losses;

/// <summary>The GRPO family against TRL: value and gradient of every case, by the log-probabilities or the logits.</summary>
public sealed class PolicyLossGoldenTests
{
    [Fact]
    public void Values_and_gradients_are_those_of_TRL()
    {
        using var fixture = new LossFixture("grpo");
        int compared = 0;
        var steps = new Dictionary<string, double>();
        foreach (var golden in fixture.Cases.Where(golden => !LossFixture.Has(golden, "logits")))
        {
            var (value, slopes) = PolicyCase.Evaluate(fixture, golden);
            string name = LossFixture.NameOf(golden);
            LossFixture.ShouldBeNear(value, LossFixture.Loss(golden), 1e-5, name);
            LossFixture.ShouldMatch(slopes, fixture.Gradient(golden), 1e-5, name);
            if (name.Split('/') is ["accumulated", var type, _]) steps[type] = steps.GetValueOrDefault(type) + value;
            compared++;
        }

        compared.ShouldBePositive();
        var whole = fixture.Root["accumulated_step_loss"]!.AsObject();
        steps.Keys.ShouldBe(whole.Select(step => step.Key), ignoreOrder: true);
        foreach (var (type, value) in whole) LossFixture.ShouldBeNear(steps[type], value!.GetValue<double>(), 1e-5, type);
    }

    [Fact]
    public void Gradients_by_the_logits_are_those_of_TRL()
    {
        using var fixture = new LossFixture("grpo");
        int compared = 0;
        foreach (var golden in fixture.Cases.Where(golden => LossFixture.Has(golden, "logits")))
        {
            double temperature = LossFixture.Parameter(golden, "temperature");
            float[] logits = [.. fixture.Singles(golden, "logits").Select(logit => (float)(logit / temperature))];
            int width = (int)fixture.Shape(LossFixture.InputOf(golden, "logits"))[^1];
            int[] ids = fixture.Integers(golden, "ids");
            float[] chosen = [.. ids.Select((id, row) => (float)(PolicyCase.Logarithms(logits.AsSpan(row * width, width))[id]))];
            var (value, slopes) = PolicyCase.Evaluate(fixture, golden, chosen);
            LossFixture.ShouldBeNear(value, LossFixture.Loss(golden), 1e-5, LossFixture.NameOf(golden));
            double[] gradient = [.. PolicyCase.ByLogits(logits, width, ids, slopes).Select(slope => slope / temperature)];
            LossFixture.ShouldMatch(gradient, fixture.Gradient(golden), 1e-5, LossFixture.NameOf(golden));
            compared++;
        }

        compared.ShouldBePositive();
    }

    [Fact]
    public void The_distance_from_the_reference_is_the_one_TRL_logs()
    {
        using var fixture = new LossFixture("grpo");
        int compared = 0;
        foreach (var golden in fixture.Cases.Where(golden => golden["metrics"]?["kl"] is not null && LossFixture.Has(golden, "logps")))
        {
            var rows = PolicyCase.Rows(fixture, golden, fixture.Singles(golden, "logps"));
            var term = new ReferenceTerm(1, PolicyCase.IsCorrected(golden));
            var distances = rows.SelectMany(row => row.Current.Select((value, i) =>
                term.Of(row.Rollout.ReferenceLogProbabilities[i], value, row.Rollout.Completion.LogProbabilities[i]).Value));
            LossFixture.ShouldBeNear(distances.Average(), golden["metrics"]!["kl"]!.GetValue<double>(), 1e-5, LossFixture.NameOf(golden));
            compared++;
        }

        compared.ShouldBePositive();
    }

    [Fact]
    public void Shares_beyond_the_bounds_are_those_that_TRL_logs()
    {
        using var fixture = new LossFixture("grpo");
        int compared = 0;
        foreach (var golden in fixture.Cases.Where(golden => LossFixture.Has(golden, "logps")))
        {
            string name = LossFixture.NameOf(golden);
            if (golden["metrics"]?["clip_ratio/low_mean"] is { } low)
            {
                var shares = PolicyCase.Clips(fixture, golden);
                shares.Low.ShouldBe(low.GetValue<double>(), 1e-6, name);
                shares.High.ShouldBe(golden["metrics"]!["clip_ratio/high_mean"]!.GetValue<double>(), 1e-6, name);
                compared++;
            }
            else if (golden["metrics"]?["cispo_clip_ratio"] is { } capped)
            {
                PolicyCase.Clips(fixture, golden).High.ShouldBe(capped.GetValue<double>(), 1e-6, name);
                compared++;
            }
        }

        compared.ShouldBePositive();
    }

    [Fact]
    public void On_policy_distillation_has_the_value_and_gradient_of_its_definition()
    {
        using var fixture = new LossFixture("on_policy");
        foreach (var golden in fixture.Cases.Where(golden => LossFixture.Has(golden, "sampler_logps")))
        {
            float[] logits = fixture.Singles(golden, "student");
            int width = (int)fixture.Shape(LossFixture.InputOf(golden, "student"))[^1];
            int[] ids = fixture.Integers(golden, "ids");
            float[] chosen = [.. ids.Select((id, row) => (float)(PolicyCase.Logarithms(logits.AsSpan(row * width, width))[id]))];
            var rows = PolicyCase.Rows(
                fixture, golden, chosen, fixture.Singles(golden, "sampler_logps"), fixture.Singles(golden, "teacher_logps"), _ => 0);
            var (value, slopes) = PolicyCase.Evaluate(
                new OnPolicyDistillationLoss(
                    (long)LossFixture.Parameter(golden, "normaliser"), LossFixture.Parameter(golden, "coefficient")), rows, chosen.Length);
            LossFixture.ShouldBeNear(value, LossFixture.Loss(golden), 1e-5, LossFixture.NameOf(golden));
            LossFixture.ShouldMatch(
                PolicyCase.ByLogits(logits, width, ids, slopes), fixture.Gradient(golden), 1e-5, LossFixture.NameOf(golden));
        }
    }
}
