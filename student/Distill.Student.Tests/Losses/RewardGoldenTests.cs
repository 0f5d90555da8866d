using System.Text.Json.Nodes;
using Distill.Verification;
using Distill.Generation;
using Distill.Student.Reinforcement;

namespace Distill.Student.Tests.Losses;

/// <summary>Rewards and advantages against TRL's functions and trainers.</summary>
public sealed class RewardGoldenTests
{
    [Fact]
    public void Advantages_are_those_of_the_trainers()
    {
        int compared = 0;
        foreach (var golden in Read("advantages.json")["cases"]!.AsArray())
        {
            double[] rewards = [.. golden!["rewards"]!.AsArray().Select(reward => reward?.GetValue<double>() ?? double.NaN)],
                expected = Numbers(golden["advantages"]!);
            var scale = golden["scale_rewards"]?.GetValue<string>() switch
            {
                "group" => AdvantageScale.Group,
                "batch" => AdvantageScale.Batch,
                "none" => AdvantageScale.None,
                _ => golden["normalize_advantages"]!.GetValue<bool>() ? AdvantageScale.LeaveOneOutBatch : AdvantageScale.LeaveOneOut,
            };
            double[] actual =
                [.. GroupAdvantage.Of([.. rewards.Chunk(golden["group_size"]!.GetValue<int>())], scale).SelectMany(group => group)];
            for (int i = 0; i < expected.Length; i++)
                actual[i].ShouldBe(expected[i], 1e-4 * Math.Max(1, Math.Abs(expected[i])), golden["name"]!.GetValue<string>());
            compared++;
        }

        compared.ShouldBePositive();
    }

    [Fact]
    public void The_soft_overlong_penalty_is_that_of_TRL()
    {
        foreach (var golden in Read("rewards.json")["soft_overlong"]!["cases"]!.AsArray())
        {
            var reward = new OverlongReward(golden!["max_completion_len"]!.GetValue<int>(), golden["soft_punish_cache"]!.GetValue<int>());
            foreach (var (length, expected) in Numbers(golden["lengths"]!).Zip(Numbers(golden["rewards"]!)))
                reward.Of((int)length).ShouldBe(expected, 1e-12, $"{length} tokens");
        }
    }

    [Fact]
    public void The_format_of_a_thinking_completion_is_that_of_TRL()
    {
        var golden = Read("rewards.json")["think_format"]!;
        string[] texts = [.. golden["texts"]!.AsArray().Select(text => text!.GetValue<string>())];
        double[] expected = Numbers(golden["rewards"]!);
        texts.Length.ShouldBe(expected.Length);
        for (int i = 0; i < texts.Length; i++) FormatReward.Of(texts[i]).ShouldBe(expected[i], texts[i]);
    }

    [Fact]
    public void The_penalty_for_repetition_is_that_of_TRL()
    {
        foreach (var golden in Read("rewards.json")["repetition"]!["cases"]!.AsArray())
        {
            var reward = new RepetitionReward(golden!["ngram_size"]!.GetValue<int>());
            double[] expected = Numbers(golden["rewards"]!);
            var ids = golden["ids"]!.AsArray();
            ids.Count.ShouldBe(expected.Length);
            for (int i = 0; i < expected.Length; i++)
                (-golden["max_penalty"]!.GetValue<double>() * reward.Of([.. Numbers(ids[i]!).Select(id => (int)id)]))
                    .ShouldBe(expected[i], 1e-12, $"{ids[i]}");
        }
    }

    [Fact]
    public void An_answer_that_cannot_be_read_is_wrong_or_left_out()
    {
        var completion = new Completion([1], [0], StopReason.StopToken, 1);
        new VerdictReward().Of(Verdict.Undecidable, completion).ShouldBe(0);
        new VerdictReward(skipUndecidable: true).Of(Verdict.Undecidable, completion).ShouldBe(double.NaN);
        new VerdictReward(skipUndecidable: true).Of(Verdict.Incorrect, completion).ShouldBe(0);
        new VerdictReward(skipUndecidable: true).Of(Verdict.Correct, completion).ShouldBe(1);
    }

    private static JsonNode Read(string file) => JsonNode.Parse(File.ReadAllText(FixtureFolder.RequireFile("losses", file)))!;

    private static double[] Numbers(JsonNode array) => [.. array.AsArray().Select(value => value!.GetValue<double>())];
}
