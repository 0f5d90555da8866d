using System.Globalization;
using Distill.Evaluation.Statistics;
using Distill.Pipeline.Reporting.Page;

namespace Distill.Pipeline.Reporting.Plots;

/// <param name="Color">Style class.</param>
/// <param name="Shape">Which of the marks: readers who cannot tell colours tell shapes.</param>
/// <param name="X">Not negative.</param>
/// <param name="Share">From 0 to 1.</param>
/// <param name="Text">For who points at it.</param>
internal sealed record PlotPoint(string Color, int Shape, double X, double Share, Interval Interval, string Text)
{
    /// <summary>Points of one line are joined, from few tokens to many.</summary>
    public required string Line { get; init; }
}

/// <summary>Shares with their intervals against an amount. See <see cref="BarPlot"/> for why by hand.</summary>
internal static class PointPlot
{
    private const double Width = 520, Height = 260, Left = 50, Right = 14, Top = 10, Bottom = 40, Size = 5;

    /// <param name="title">For who cannot see the picture.</param>
    /// <param name="points">At least one.</param>
    public static Html Of(string title, IReadOnlyList<PlotPoint> points)
    {
        double low = points.Min(point => point.X), high = points.Max(point => point.X);
        // From a few tokens to many samples of long thoughts lie decades.
        var x = low > 0 && high / low > 8
            ? Axis.Logarithmic(low, high, Left, Width - Right) : Axis.Linear(0, high, Left, Width - Right, round: true);
        var y = Axis.Linear(0, 1, Height - Bottom, Top, round: false);
        return Html.Of($"""
            <svg viewBox="0 0 {Width} {Height}" role="img" aria-label="{title}">
            {new[] { 0, 0.25, 0.5, 0.75, 1 }.Select(share => Horizontal(y.Place(share), share))}
            {x.Ticks.Select(tick => Vertical(x.Place(tick), tick))}
            <text class="tick" x="{(Left + Width - Right) / 2}" y="{Height - 6}" text-anchor="middle">tokens per problem</text>
            {points.GroupBy(point => point.Line).Select(group => Line([.. group.OrderBy(point => point.X)], x, y))}
            {points.Select(point => Point(point, x, y))}
            </svg>
            """);
    }

    /// <summary>A mark by itself, for a legend.</summary>
    public static Html Mark(int shape) =>
        Html.Of($"""<svg class="key" viewBox="-7 -7 14 14" aria-hidden="true">{Shape(shape, 0, 0)}</svg>""");

    private static Html Horizontal(double y, double share) => Html.Of($"""
        <line class="grid" x1="{Left}" y1="{y}" x2="{Width - Right}" y2="{y}"/>
        <text class="tick" x="{Left - 7}" y="{y + 4}" text-anchor="end">{(int)(share * 100)} %</text>
        """);

    private static Html Vertical(double x, double tick) =>
        Html.Of($"""<text class="tick" x="{x}" y="{Height - Bottom + 16}" text-anchor="middle">{Axis.Label(tick)}</text>""");

    private static Html Line(PlotPoint[] points, Axis x, Axis y) => Html.If(points.Length > 1, () =>
    {
        var places = points.Select(point => string.Create(
            CultureInfo.InvariantCulture, $"{x.Place(point.X):0.##} {y.Place(point.Share):0.##}"));
        return Html.Of($"""<g class="{points[0].Color}"><path class="raw" d="{"M" + string.Join('L', places)}"/></g>""");
    });

    private static Html Point(PlotPoint point, Axis x, Axis y)
    {
        double at = x.Place(point.X), low = y.Place(point.Interval.Low), high = y.Place(point.Interval.High);
        return Html.Of($"""
            <g class="{point.Color}"><title>{point.Text}</title><path class="whisker" d="M{at} {low}V{high}"/>
            {Shape(point.Shape, at, y.Place(point.Share))}</g>
            """);
    }

    private static Html Shape(int shape, double x, double y) => (shape % 6) switch
    {
        0 => Html.Of($"""<circle class="mark" cx="{x}" cy="{y}" r="{Size - 0.5}"/>"""),
        1 => Html.Of($"""<path class="mark" d="M{x - Size} {y - Size}H{x + Size}V{y + Size}H{x - Size}Z"/>"""),
        2 => Html.Of($"""<path class="mark" d="M{x} {y - Size - 1}L{x + Size + 1} {y}L{x} {y + Size + 1}L{x - Size - 1} {y}Z"/>"""),
        3 => Html.Of($"""<path class="mark" d="M{x} {y - Size}L{x + Size} {y + Size}L{x - Size} {y + Size}Z"/>"""),
        4 => Html.Of($"""<path class="mark" d="M{x} {y + Size}L{x + Size} {y - Size}L{x - Size} {y - Size}Z"/>"""),
        _ => Html.Of($"""<path class="mark open" d="M{x - Size} {y}H{x + Size}M{x} {y - Size}V{y + Size}"/>"""),
    };
}
