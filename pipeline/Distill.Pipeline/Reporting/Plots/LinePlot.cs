using System.Globalization;
using Distill.Pipeline.Reporting.Page;

namespace Distill.Pipeline.Reporting.Plots;

/// <param name="Color">Style class.</param>
/// <param name="Second">Drawn dashed with its points marked: another measurement of the same model.</param>
/// <param name="Points">Finite, by rising step.</param>
internal sealed record PlotLine(string Label, string Color, bool Second, IReadOnlyList<(double Step, double Value)> Points);

/// <summary>Curves over steps: every point faint, the moving average strong. See <see cref="BarPlot"/> for why by hand.</summary>
internal static class LinePlot
{
    private const double Width = 520, Height = 250, Left = 50, Right = 12, Top = 10, Bottom = 30;

    /// <summary>Fewer points than this are drawn as they are: there is nothing to smooth.</summary>
    private const int FewPoints = 40;

    /// <summary>Of one line: more would be finer than the screen.</summary>
    private const int MostPoints = 500;

    /// <param name="title">For who cannot see the picture.</param>
    /// <param name="lines">At least one, each with a point.</param>
    public static Html Of(string title, IReadOnlyList<PlotLine> lines)
    {
        var points = lines.SelectMany(line => line.Points).ToList();
        double low = points.Min(point => point.Value), high = points.Max(point => point.Value);
        // Where a curve falls over decades, as a loss does, a plain axis would show its beginning only.
        var y = low > 0 && high / low > 30
            ? Axis.Logarithmic(low, high, Height - Bottom, Top)
            : Axis.Linear(low > 0 && low < high / 2 ? 0 : low, high, Height - Bottom, Top, round: true);
        var x = Axis.Linear(points.Min(point => point.Step), points.Max(point => point.Step), Left, Width - Right, round: false);
        return Html.Of($"""
            <svg viewBox="0 0 {Width} {Height}" role="img" aria-label="{title}">
            {y.Ticks.Select(tick => Horizontal(y.Place(tick), tick))}
            {x.Ticks.Select(tick => Vertical(x.Place(tick), tick))}
            {lines.Select(line => Line(line, x, y))}
            </svg>
            """);
    }

    private static Html Horizontal(double y, double tick) => Html.Of($"""
        <line class="grid" x1="{Left}" y1="{y}" x2="{Width - Right}" y2="{y}"/>
        <text class="tick" x="{Left - 7}" y="{y + 4}" text-anchor="end">{Axis.Label(tick)}</text>
        """);

    private static Html Vertical(double x, double tick) =>
        Html.Of($"""<text class="tick" x="{x}" y="{Height - 12}" text-anchor="middle">{Axis.Label(tick)}</text>""");

    private static Html Line(PlotLine line, Axis x, Axis y)
    {
        bool few = line.Points.Count < FewPoints;
        var smooth = few ? line.Points : Smoothed(line.Points);
        return Html.Of($"""
            <g class="{line.Color}"><title>{line.Label}</title>
            {Html.If(!few, () => Html.Of($"""<path class="raw" d="{Path(line.Points, x, y)}"/>"""))}
            <path class="{(line.Second ? "line second" : "line")}" d="{Path(smooth, x, y)}"/>
            {(few ? line.Points.Select(point => Dot(x.Place(point.Step), y.Place(point.Value))) : [])}</g>
            """);
    }

    private static Html Dot(double x, double y) => Html.Of($"""<circle class="dot" cx="{x}" cy="{y}" r="2.5"/>""");

    private static string Path(IReadOnlyList<(double Step, double Value)> points, Axis x, Axis y)
    {
        int every = (points.Count / MostPoints) + 1;
        var kept = points.Where((_, i) => i % every == 0 || i == points.Count - 1);
        string place((double Step, double Value) point) =>
            string.Create(CultureInfo.InvariantCulture, $"{x.Place(point.Step):0.##} {y.Place(point.Value):0.##}");
        return "M" + string.Join('L', kept.Select(place));
    }

    // Centred, so that nothing is shifted: the training is over, its future is known. Where a curve begins it is steep, so the window
    // narrows there; where it ends it is level, so the window keeps its past and the last step's chance is no result.
    private static (double Step, double Value)[] Smoothed(IReadOnlyList<(double Step, double Value)> points)
    {
        int reach = Math.Max(2, points.Count / 25);
        return [.. points.Select((point, i) =>
        {
            int from = Math.Max(0, i - reach), to = Math.Min(points.Count - 1, i + Math.Min(reach, i));
            double sum = 0;
            for (int k = from; k <= to; k++) sum += points[k].Value;
            return (point.Step, sum / (to - from + 1));
        })];
    }
}
