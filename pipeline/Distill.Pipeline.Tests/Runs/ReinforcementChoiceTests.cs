using Distill.Data.Problems;
using Distill.Generation;
using Distill.Pipeline.Tests.Testing;
using Distill.Student.Reinforcement;
using Distill.Verification;
using static TorchSharp.torch;

namespace Distill.Pipeline.Tests.Runs;

/// <summary>Tensors of the whole process are counted here, so that nothing else may run meanwhile.</summary>
[CollectionDefinition(nameof(CountedTensors), DisableParallelization = true)]
public sealed class CountedTensors;

/// <summary>Which weights a reinforcement ends with.</summary>
[Collection(nameof(CountedTensors))]
public sealed class ReinforcementChoiceTests
{
    private const double Decay = 0.6;

    private static readonly GroupRelativeOptions Plain = TinyReinforcement.Plain;

    [Fact]
    public void Weights_that_are_better_sampled_and_worse_greedy_are_not_taken()
    {
        var scripted = new ScriptedGreedy([4, 3, 3, 3, 3], sampledFrom: 1);
        // So slow that something is sampled right at every look.
        var slow = Plain with { Training = Plain.Training with { LearningRate = 2e-4 } };
        var (weights, result, reports) = TinyReinforcement.Train(slow, judge: scripted.Judge);
        reports.ShouldContain(report => report.GradientNorm > 0); // the weights did move
        result.Before.ShouldBe(new PolicyScore(0, 1));
        reports.ShouldAllBe(report => report.HeldOut!.Value.Greedy == 0.75 && report.HeldOut.Value.Mean > result.Before.Mean);
        result.BestStep.ShouldBe(0);
        result.Best.ShouldBe(result.Before);
        weights.ShouldBe(TinyReinforcement.Start());
    }

    [Fact]
    public void Greedy_accuracy_decides_where_what_is_sampled_stays_as_it_was()
    {
        var after = new List<float[]>();
        var scripted = new ScriptedGreedy([1, 2, 4, 3, 4], sampledFrom: int.MaxValue);
        var (weights, result, reports) = TinyReinforcement.Train(
            // Something to learn where no completion is right.
            Plain with { ReferenceWeight = 0.5 }, judge: scripted.Judge, afterStep: parameters => after.Add(parameters.Span.ToArray()));
        reports.Select(report => report.HeldOut!.Value.Greedy).ShouldBe([0.5, 1, 0.75, 1]);
        result.BestStep.ShouldBe(2); // the first of equals
        result.Best.Greedy.ShouldBe(1);
        weights.ShouldBe(after[1]);
    }

    [Fact]
    public void The_average_is_what_is_looked_at_and_what_is_kept()
    {
        var options = Plain with { Steps = 3, WeightAverage = Decay };
        var after = new List<float[]>();
        var (weights, result, _) = TinyReinforcement.Train(
            options, judge: new ScriptedGreedy([0, 0, 0, 4], sampledFrom: 0).Judge,
            afterStep: parameters => after.Add(parameters.Span.ToArray()));
        result.BestStep.ShouldBe(3);
        after[2].ShouldNotBe(after[0]);
        for (int i = 0; i < weights.Length; i++)
        {
            double second = (Decay * after[0][i]) + ((1 - Decay) * after[1][i]);
            weights[i].ShouldBe((float)((Decay * second) + ((1 - Decay) * after[2][i])), 1e-6f);
        }
    }

    [Fact]
    public void An_average_without_memory_is_the_weights_and_no_average_changes_a_rollout()
    {
        var (plain, result, reports) = TinyReinforcement.Train(Plain);
        var (weights, same, _) = TinyReinforcement.Train(Plain with { WeightAverage = 0 });
        weights.ShouldBe(plain);
        same.ShouldBe(result with { Findings = same.Findings });
        var averaged = TinyReinforcement.Train(Plain with { WeightAverage = 0.9 }).Reports;
        averaged.Select(report => (report.MeanReward, report.GradientNorm))
            .ShouldBe(reports.Select(report => (report.MeanReward, report.GradientNorm)));
    }

    [Fact]
    public void Live_tensors_stay_flat_with_looks_average_reference_and_replaced_groups()
    {
        var counts = new List<long>();
        TinyReinforcement.Train(
            Plain with { Steps = 6, WeightAverage = 0.9, ReferenceWeight = 0.1, ResampleRounds = 1 },
            afterStep: _ => counts.Add(Tensor.TotalCount));
        counts[^1].ShouldBeLessThanOrEqualTo(counts[1]);
    }

    /// <summary>
    /// Of the four held-out problems so many are answered rightly by greedy completions, look by look; sampled ones are right by their
    /// tokens, from a look on.
    /// </summary>
    private sealed class ScriptedGreedy(int[] right, int sampledFrom)
    {
        private int greedy;

        public Verdict Judge(Problem problem, Completion completion)
        {
            int look = greedy / TinyReinforcement.HeldOut.Count;
            if (completion.Seed != 0) // what is drawn has a seed
                return look >= sampledFrom ? TinyReinforcement.EvenSums(problem, completion) : Verdict.Incorrect;
            return greedy++ % TinyReinforcement.HeldOut.Count < right[look] ? Verdict.Correct : Verdict.Incorrect;
        }
    }
}
