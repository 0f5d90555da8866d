using Distill.Pipeline.Reporting.Plots;

namespace Distill.Pipeline.Reporting.Page;

/// <summary>Learning curves: one plot per measurement, the stages in it side by side; reward and held-out accuracy share theirs.</summary>
internal static class CurveSection
{
    // What a reader asks first; the others are folded away behind them.
    private static readonly string[] First = ["loss", "reward", RewardParts, "entropy"];

    private const string RewardParts = "parts of the reward", PartPrefix = "reward_";

    private const string Greedy = "c9"; // held out twice by one stage: dashes do not tell these apart

    // Implicit rewards of preference tuning: measurements of their own.
    private static readonly string[] OfPreferences = ["reward_chosen", "reward_rejected", "reward_margin"];

    public static Html Of(IReadOnlyList<MetricSeries> curves, ReportModels models)
    {
        var panels = curves
            .Select(curve => curve with { Points = [.. curve.Points.Where(IsFinite)] })
            .Where(curve => curve.Points.Count > 1)
            .GroupBy(curve => Panel(curve.Name))
            .OrderBy(panel => Array.IndexOf(First, panel.Key) is >= 0 and var place ? place : First.Length)
            .ToList();
        var shown = panels.Where(panel => First.Contains(panel.Key));
        var folded = panels.Where(panel => !First.Contains(panel.Key)).ToList();
        const string note = "Every step faint, the centred moving average strong.";
        return Html.If(panels.Count > 0, () => Parts.Section("Learning curves", note, Html.Of($"""
            <div class="plots">{shown.Select(panel => Plot(panel.Key, [.. panel], models))}</div>
            {Html.If(folded.Count > 0, () => Html.Of($"""
                <details><summary>{folded.Count} more measurements</summary>
                <div class="plots">{folded.Select(panel => Plot(panel.Key, [.. panel], models))}</div></details>
                """))}
            """)));
    }

    private static bool IsFinite((double Step, double Value) point) => double.IsFinite(point.Step) && double.IsFinite(point.Value);

    private static bool IsHeldOut(string name) => ReportNumbers.Words(name).StartsWith("held out", StringComparison.Ordinal);

    private static bool IsGreedy(string name) => IsHeldOut(name) && name.EndsWith("_greedy", StringComparison.Ordinal);

    private static string Panel(string name) => IsHeldOut(name) || name is "mean_reward" or "meanReward" ? "reward"
        : IsPart(name) ? RewardParts : name;

    private static string PartOf(string name) => ReportNumbers.Words(name[PartPrefix.Length..]);

    private static bool IsPart(string name) =>
        name.StartsWith(PartPrefix, StringComparison.Ordinal) && !OfPreferences.Contains(name);

    private static Html Plot(string name, IReadOnlyList<MetricSeries> curves, ReportModels models)
    {
        bool mixed = curves.Any(curve => IsHeldOut(curve.Name));
        string title = mixed ? "reward and held-out accuracy" : ReportNumbers.Words(name);
        bool parts = curves.All(curve => IsPart(curve.Name));
        // Parts of one stage's reward are told apart by colours of their own, and every other by its dashes.
        PlotLine[] lines = [.. curves.Select((curve, i) => parts
            ? new PlotLine($"{curve.Stage}: {PartOf(curve.Name)}", $"c{2 + (i % 8)}", i % 2 == 1, curve.Points)
            : new PlotLine(Label(curve, mixed), IsGreedy(curve.Name) ? Greedy : models.ColorOf(curve.Stage), IsHeldOut(curve.Name),
                curve.Points))];
        return Html.Of($"""
            <figure><figcaption>{title}, by step</figcaption>
            {Parts.Legend(lines.Select(line => (line.Color, line.Second ? "dashed" : "solid", line.Label)))}
            {LinePlot.Of($"{title} over steps", lines)}</figure>
            """);
    }

    private static string Label(MetricSeries curve, bool mixed) =>
        mixed ? $"{curve.Stage}: {ReportNumbers.Words(curve.Name)}" : curve.Stage;
}
