using Distill.Pipeline.OnPolicy;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Tests.Reporting;

namespace Distill.Pipeline.Tests.Results;

/// <summary>Tables of what was learned from completions of one's own, from reports whose numbers are known.</summary>
public sealed class OnPolicyTableTests
{
    private const int Start = 392; // of 500

    [Fact]
    public void A_setting_says_what_was_expected_and_what_came_of_it()
    {
        string[] lines = OnPolicyTable.Settings(
        [
            ("foreseen", Of(Run(Start + 50, gain: 0.2))), ("missed", Of(Run(Start + 50, gain: 0))),
            ("promised", Of(Run(Start, gain: 0.2))), ("harmful", Of(Run(Start - 90, gain: 0))),
        ]).Split('\n');
        lines[2].ShouldStartWith("| foreseen | 78.4 → 97.2 % |");
        lines[2].ShouldContain("| expected to help | +10.0 [");
        lines[2].ShouldEndWith("| helped | yes |");
        lines[3].ShouldEndWith("| helped | no |");
        lines[4].ShouldEndWith("| no difference | no |");
        lines[5].ShouldEndWith("| worse | yes |");
        lines[7].ShouldBe("500 held-out problems each. Distillation helped in 2 of 4 settings, and the preflight was right in 2.");
    }

    // (439 − 392) / (486 − 392)
    [Fact]
    public void A_distance_is_closed_in_part()
    {
        var run = Run(Start + 47, gain: 0);
        string[] lines = OnPolicyTable.Distances(
            [("all", Of(Learned(new StageAmounts(8, null, 5_000, 4, null, 0, null)))), ("unknown", Of(Learned(null)))]).Split('\n');
        lines[2].ShouldStartWith("| all | 1 | 5,000 | 78.4 → 87.8 % | 97.2 % | 50.0 % [");
        lines[3].ShouldStartWith("| unknown | 1 | — | 78.4 → 87.8 % |");

        RunReport Learned(StageAmounts? amounts) =>
            run with { Stages = [.. run.Stages.Select(stage => stage.Name == "rl" ? stage with { Amounts = amounts } : stage)] };
    }

    private static SeedRuns Of(RunReport run) => new([run], ["seed 1"]);

    // A rule's verdict is taken anew from what was measured: what the report says of itself is of no account.
    private static RunReport Run(int solved, double gain)
    {
        var run = SampleReport.OfSeed(1, solved);
        return run with
        {
            Verdicts = SampleVerdicts.Of(
                [("sft", Start, (double)Start / SampleReport.Problems, 0.5), ("rl", solved, (double)solved / SampleReport.Problems, 0.5),
                    ("base", 2, 0.004, 0.005), ("teacher", 486, 0.978, 0.955)]),
            Preflight = new OnPolicyReport(
                OnPolicyVerdict.CannotBeDone, "so",
                new(64, 1000, 0.5, 0.75, new(gain, new(gain, gain), 0.05, 0.01), 0.99, 0.7, 0.05, 0.01, Temperature: 1)),
        };
    }
}
