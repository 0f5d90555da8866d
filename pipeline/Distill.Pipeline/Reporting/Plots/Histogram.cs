using Distill.Pipeline.Reporting.Page;

namespace Distill.Pipeline.Reporting.Plots;

/// <summary>
/// Counts by length, stacked by verdict: filled where right, empty where wrong, dotted where undecidable, which needs no colours. See
/// <see cref="BarPlot"/> for why by hand.
/// </summary>
internal static class Histogram
{
    private const double Width = 340, Height = 130, Left = 44, Right = 8, Top = 8, Bottom = 34;

    /// <param name="title">For who cannot see the picture.</param>
    /// <param name="color">Style class.</param>
    /// <param name="width">Of a class.</param>
    /// <param name="classes">At least one.</param>
    public static Html Of(string title, string color, int width, IReadOnlyList<LengthClass> classes)
    {
        long most = Math.Max(1, classes.Max(each => each.Right + each.Wrong + each.Undecidable));
        var x = Axis.Linear(0, (double)classes.Count * width, Left, Width - Right, round: false);
        var y = Axis.Linear(0, most, Height - Bottom, Top, round: true);
        return Html.Of($"""
            <svg viewBox="0 0 {Width} {Height}" role="img" aria-label="{title}">
            {y.Ticks.Where((_, i) => i % 2 == 0).Select(tick => Horizontal(y.Place(tick), tick))}
            {x.Ticks.Select(tick => Vertical(x.Place(tick), tick))}
            <text class="tick" x="{(Left + Width - Right) / 2}" y="{Height - 3}" text-anchor="middle">tokens</text>
            <g class="{color}">{classes.Select((each, i) => Column(each, i, width, x, y))}</g>
            </svg>
            """);
    }

    private static Html Horizontal(double y, double tick) => Html.Of($"""
        <line class="grid" x1="{Left}" y1="{y}" x2="{Width - Right}" y2="{y}"/>
        <text class="tick" x="{Left - 6}" y="{y + 4}" text-anchor="end">{Axis.Label(tick)}</text>
        """);

    private static Html Vertical(double x, double tick) =>
        Html.Of($"""<text class="tick" x="{x}" y="{Height - Bottom + 15}" text-anchor="middle">{Axis.Label(tick)}</text>""");

    private static Html Column(LengthClass each, int place, int width, Axis x, Axis y) => Html.If(
        each.Right + each.Wrong + each.Undecidable > 0, () =>
    {
        double left = x.Place(place * width) + 0.5, right = x.Place((place + 1) * width) - 0.5;
        long wrong = each.Right + each.Wrong, all = wrong + each.Undecidable;
        string undecidable = each.Undecidable > 0 ? $", {ReportNumbers.Count(each.Undecidable)} undecidable" : "";
        string text = $"{place * width} to {((place + 1) * width) - 1} tokens: {ReportNumbers.Count(each.Right)} right, "
            + $"{ReportNumbers.Count(each.Wrong)} wrong{undecidable}";
        return Html.Of($"""
            <g><title>{text}</title>
            {Part("bar", left, right, y.Place(0), y.Place(each.Right))}
            {Part("bar wrong", left, right, y.Place(each.Right), y.Place(wrong))}
            {Part("bar undecidable", left, right, y.Place(wrong), y.Place(all))}</g>
            """);
    });

    private static Html Part(string kind, double left, double right, double bottom, double top) => Html.If(bottom - top > 0, () =>
        Html.Of($"""<rect class="{kind}" x="{left}" y="{top}" width="{Math.Max(1, right - left)}" height="{bottom - top}"/>"""));
}
