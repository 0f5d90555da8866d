using Distill.Data.Traces;
using Distill.Evaluation.Statistics;
using Distill.Teacher;
using Distill.Teacher.Remote.Calls;
using Distill.Verification;

namespace Distill.Pipeline.Stages.Data;

/// <summary>What a sample of completions showed, and what the whole run will take by it.</summary>
/// <param name="Completions">Of the sample.</param>
/// <param name="Truncated">Reached the longest length.</param>
/// <param name="Undecidable">Whole answers that no verifier can read.</param>
/// <param name="Refused">By the teacher or its endpoint.</param>
/// <param name="RefusalReason">The most frequent one; null when nothing was refused.</param>
/// <param name="PromptTokens">Of a completion, on average.</param>
/// <param name="CompletionTokens">Likewise, with the 95 % interval of the average.</param>
/// <param name="RunCompletions">Of the whole run; fewer than samples × problems where verdicts decide.</param>
/// <param name="RunTokens">Completion tokens of the whole run.</param>
/// <param name="RunCost">By the endpoint's prices; null where completions have none.</param>
internal sealed record PreflightReport(
    int Completions, int Truncated, int Correct, int Undecidable, int Refused, string? RefusalReason, double PromptTokens,
    double CompletionTokens, Interval CompletionTokens95, Interval RunCompletions, Interval RunTokens, Interval? RunCost)
{
    public double Share(int count) => (double)count / Completions;

    /// <param name="problems">Of the whole run.</param>
    /// <param name="budget">Caps the prediction.</param>
    /// <param name="prices">Null where completions cost nothing.</param>
    public static PreflightReport Of(
        IReadOnlyList<Trace> sample, Func<Trace, Verdict> verdictOf, int problems, SamplingPolicy policy, SampleBudget budget,
        TokenPrices? prices)
    {
        var refused = sample.Where(trace => trace.Refusal is not null).ToList();
        var whole = sample.Where(trace => trace.Refusal is null && trace.StopReason != "length").Select(verdictOf).ToList();
        int correct = whole.Count(verdict => verdict == Verdict.Correct);
        double[] lengths = [.. sample.Select(trace => (double)trace.CompletionTokens)];
        double mean = lengths.Average(), prompt = sample.Average(trace => (double)trace.PromptTokens);
        double spread = Math.Sqrt(lengths.Sum(length => (length - mean) * (length - mean)) / Math.Max(1, lengths.Length - 1));
        double margin = 1.96 * spread / Math.Sqrt(lengths.Length);
        var tokens = new Interval(Math.Max(0, mean - margin), mean + margin);
        // What is solved more often is asked less often.
        var share = Proportion.Wilson(correct, sample.Count);
        double one = policy.ExpectedSamples(share.High), other = policy.ExpectedSamples(share.Low);
        var completions = new Interval(problems * Math.Min(one, other), problems * Math.Max(one, other));
        var run = new Interval(completions.Low * tokens.Low, completions.High * tokens.High);
        return new PreflightReport(
            sample.Count, sample.Count(trace => trace.StopReason == "length"), correct,
            whole.Count(verdict => verdict == Verdict.Undecidable), refused.Count,
            refused.GroupBy(trace => trace.Refusal).OrderByDescending(group => group.Count()).FirstOrDefault()?.Key, prompt, mean, tokens,
            completions, Capped(run, budget.Tokens),
            prices is null ? null : Capped(
                new Interval(Cost(prices, completions.Low, prompt, tokens.Low), Cost(prices, completions.High, prompt, tokens.High)),
                (double?)budget.Cost));
    }

    /// <summary>In a line, without times.</summary>
    public string Describe()
    {
        string cost = RunCost is { High: > 0 } range ? $", cost {Range(range, "N2")}" : "";
        return $"{Completions:N0} completions: {Percent(Correct)} right, {Percent(Truncated)} cut off, {Percent(Undecidable)} undecidable, "
            + $"{Percent(Refused)} refused; {CompletionTokens:N0} tokens each; the run takes {Range(RunTokens, "N0")} tokens{cost}";
    }

    public string Percent(int count) => $"{100 * Share(count):F0} %";

    /// <summary>The 95 % interval of a share.</summary>
    public string Between(int count)
    {
        var interval = Proportion.Wilson(count, Completions);
        return $"{100 * interval.Low:F0} to {100 * interval.High:F0} %";
    }

    private static string Range(Interval range, string format)
    {
        string low = range.Low.ToString(format), high = range.High.ToString(format);
        return low == high ? low : $"{low} to {high}";
    }

    private static double Cost(TokenPrices prices, double completions, double prompt, double tokens) =>
        (double)prices.CostOf((long)(completions * prompt), (long)(completions * tokens));

    private static Interval Capped(Interval range, double? most) =>
        most is { } bound ? new(Math.Min(range.Low, bound), Math.Min(range.High, bound)) : range;
}
