using Distill.Evaluation.Statistics;
using Distill.Pipeline.Reporting.Page;

namespace Distill.Pipeline.Reporting.Plots;

/// <summary>A share with its interval, already in words for who points at it.</summary>
/// <param name="Text">Written at the end of the row.</param>
internal sealed record Bar(double Share, Interval Interval, string Text, string Explanation);

/// <param name="Color">Style class.</param>
/// <param name="Bars">One per series of the plot; null where not measured.</param>
internal sealed record BarGroup(string Label, string Color, IReadOnlyList<Bar?> Bars);

/// <summary>
/// Lying bars from 0 to 100 % with whiskers of their 95 % intervals. Written as SVG by hand: the browser supplies the font (a raster
/// library draws no letter where none is installed, as on most servers) and the page's style the colours, dark or light.
/// </summary>
internal static class BarPlot
{
    private const double Width = 520, Left = 100, Right = 64, Top = 6, BarHeight = 13, BarGap = 3, GroupGap = 12, Bottom = 24;

    /// <param name="title">For who cannot see the picture.</param>
    public static Html Of(string title, IReadOnlyList<BarGroup> groups)
    {
        var axis = Axis.Linear(0, 1, Left, Width - Right, round: false);
        double group = groups.Select(g => g.Bars.Count).DefaultIfEmpty(1).Max() * (BarHeight + BarGap) + GroupGap;
        double bottom = Top + (groups.Count * group), height = bottom + Bottom;
        return Html.Of($"""
            <svg viewBox="0 0 {Width} {height}" role="img" aria-label="{title}">
            {new[] { 0, 0.25, 0.5, 0.75, 1 }.Select(tick => Tick(axis.Place(tick), tick, bottom))}
            {groups.Select((g, i) => Group(g, axis, Top + (i * group) + (GroupGap / 2)))}
            </svg>
            """);
    }

    private static Html Tick(double x, double share, double bottom) => Html.Of($"""
        <line class="grid" x1="{x}" y1="{Top}" x2="{x}" y2="{bottom}"/>
        <text class="tick" x="{x}" y="{bottom + 16}" text-anchor="middle">{(int)(share * 100)} %</text>
        """);

    private static Html Group(BarGroup group, Axis axis, double top)
    {
        double middle = top + (group.Bars.Count * (BarHeight + BarGap) / 2);
        return Html.Of($"""
            <g class="{group.Color}"><text class="label" x="{Left - 10}" y="{middle + 4}" text-anchor="end">{Shortened(group.Label)}</text>
            {group.Bars.Select((bar, i) => Row(bar, i, axis, top + (i * (BarHeight + BarGap))))}</g>
            """);
    }

    private static Html Row(Bar? bar, int series, Axis axis, double top)
    {
        double middle = top + (BarHeight / 2);
        if (bar is null) return Html.Of($"""<text class="absent" x="{Left + 6}" y="{middle + 4}">not measured</text>""");
        double low = axis.Place(bar.Interval.Low), high = axis.Place(bar.Interval.High), width = Math.Max(1, axis.Place(bar.Share) - Left);
        return Html.Of($"""
            <g><title>{bar.Explanation}</title>
            <rect class="bar s{series}" x="{Left}" y="{top}" width="{width}" height="{BarHeight}" rx="2"/>
            <path class="whisker" d="M{low} {middle}H{high}M{low} {middle - 3}V{middle + 3}M{high} {middle - 3}V{middle + 3}"/>
            <text class="value" x="{Width - 2}" y="{middle + 4}" text-anchor="end">{bar.Text}</text></g>
            """);
    }

    private static string Shortened(string label) => label.Length <= 13 ? label : label[..12] + "…";
}
