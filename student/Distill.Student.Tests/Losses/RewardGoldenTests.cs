using System.Text.Json.Nodes;
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
            // Every verdict can be scored here; RLOO's extra whitening over the batch is not offered.
            if (golden!["rewards"]!.AsArray().Any(reward => reward is null) || golden["normalize_advantages"]?.GetValue<bool>() == true) continue;
            double[] rewards = Numbers(golden["rewards"]!), expected = Numbers(golden["advantages"]!);
            var scale = golden["scale_rewards"]?.GetValue<string>() switch { "group" => AdvantageScale.Group, "batch" => AdvantageScale.Batch, "none" => AdvantageScale.None, _ => AdvantageScale.LeaveOneOut };
            double[] actual = [.. GroupAdvantage.Of([.. rewards.Chunk(golden["group_size"]!.GetValue<int>())], scale).SelectMany(group => group)];
            for (int i = 0; i < expected.Length; i++) actual[i].ShouldBe(expected[i], 1e-4 * Math.Max(1, Math.Abs(expected[i])), golden["name"]!.GetValue<string>());
            compared++;
        }

        compared.ShouldBe(20);
    }

    [Fact]
    public void The_soft_overlong_penalty_is_that_of_TRL()
    {
        foreach (var golden in Read("rewards.json")["soft_overlong"]!["cases"]!.AsArray())
        {
            var reward = new OverlongReward(golden!["max_completion_len"]!.GetValue<int>(), golden["soft_punish_cache"]!.GetValue<int>());
            foreach (var (length, expected) in Numbers(golden["lengths"]!).Zip(Numbers(golden["rewards"]!))) reward.Of((int)length).ShouldBe(expected, 1e-12, $"{length} tokens");
        }
    }

    [Fact]
    public void The_format_of_a_thinking_completion_is_that_of_TRL()
    {
        var golden = Read("rewards.json")["think_format"]!;
        string[] texts = [.. golden["texts"]!.AsArray().Select(text => text!.GetValue<string>())];
        double[] expected = Numbers(golden["rewards"]!);
        texts.Length.ShouldBe(60);
        for (int i = 0; i < texts.Length; i++) FormatReward.Of(texts[i]).ShouldBe(expected[i], texts[i]);
    }

    private static JsonNode Read(string file) => JsonNode.Parse(File.ReadAllText(FixtureFolder.RequireFile("losses", file)))!;

    private static double[] Numbers(JsonNode array) => [.. array.AsArray().Select(value => value!.GetValue<double>())];
}
