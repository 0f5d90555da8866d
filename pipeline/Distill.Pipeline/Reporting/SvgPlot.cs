using System.Globalization;
using System.Net;
using System.Text;

namespace Distill.Pipeline.Reporting;

/// <summary>
/// Small plots as SVG text. Written by hand rather than by a plotting library, because the browser then brings the fonts and the colours of
/// the page (light or dark), and machines without any font draw them too.
/// </summary>
internal static class SvgPlot
{
    private const int Width = 460, Height = 220, Left = 44, Right = 8, Top = 24, Bottom = 26;

    /// <summary>Lines over steps. Faint lines are raw values behind a smoothed one.</summary>
    public static string Lines(string title, IReadOnlyList<(string Label, string Style, IReadOnlyList<(double Step, double Value)> Points)> lines, (double Low, double High)? range = null)
    {
        var points = lines.SelectMany(line => line.Points).Where(point => double.IsFinite(point.Value)).ToList();
        if (points.Count == 0) return "";
        var (low, high) = range ?? Padded(points.Min(point => point.Value), points.Max(point => point.Value));
        double first = points.Min(point => point.Step), last = Math.Max(first + 1, points.Max(point => point.Step));
        double X(double step) => Left + (step - first) / (last - first) * (Width - Left - Right);
        double Y(double value) => Top + (high - value) / (high - low) * (Height - Top - Bottom);
        var svg = Begin(title, low, high, Y);
        svg.Append($"<text x='{Left}' y='{Height - 8}' class='tick'>{N(first)}</text><text x='{Width - Right}' y='{Height - 8}' class='tick' text-anchor='end'>step {N(last)}</text>");
        int place = 0;
        foreach (var (label, style, values) in lines)
        {
            string path = string.Join(' ', values.Where(point => double.IsFinite(point.Value)).Select(point => $"{N(X(point.Step))},{N(Y(Math.Clamp(point.Value, low, high)))}"));
            svg.Append($"<polyline class='line {style}' points='{path}'/>");
            if (label.Length > 0) svg.Append($"<text x='{Width - Right}' y='{Top + 12 + (14 * place++)}' class='legend {style}' text-anchor='end'>{Text(label)}</text>");
        }

        return svg.Append("</svg>").ToString();
    }

    /// <summary>Shares from 0 to 1 as bars side by side, with their intervals.</summary>
    public static string Bars(string title, IReadOnlyList<string> series, IReadOnlyList<(string Label, IReadOnlyList<(double Value, double Low, double High)?> Bars)> groups)
    {
        if (groups.Count == 0) return "";
        double Y(double value) => Top + (1 - value) * (Height - Top - Bottom);
        var svg = Begin(title, 0, 1, Y, percent: true);
        double slot = (double)(Width - Left - Right) / groups.Count, bar = slot * 0.8 / series.Count;
        for (int g = 0; g < groups.Count; g++)
        {
            for (int s = 0; s < series.Count; s++)
            {
                if (groups[g].Bars[s] is not { } value) continue;
                double x = Left + (g * slot) + (slot * 0.1) + (s * bar), middle = x + (bar * 0.46);
                svg.Append($"<rect class='bar s{s}' x='{N(x)}' y='{N(Y(value.Value))}' width='{N(bar * 0.92)}' height='{N(Math.Max(0, Y(0) - Y(value.Value)))}'><title>{Text(groups[g].Label)}, {Text(series[s])}: {N(100 * value.Value)} %</title></rect>");
                svg.Append($"<path class='whisker' d='M{N(middle)} {N(Y(value.Low))}V{N(Y(value.High))}M{N(middle - 3)} {N(Y(value.Low))}h6M{N(middle - 3)} {N(Y(value.High))}h6'/>");
            }

            svg.Append($"<text x='{N(Left + ((g + 0.5) * slot))}' y='{Height - 8}' class='tick' text-anchor='middle'>{Text(groups[g].Label)}</text>");
        }

        for (int s = 0; s < series.Count; s++) svg.Append($"<text x='{Width - Right - ((series.Count - 1 - s) * 70)}' y='14' class='legend s{s}' text-anchor='end'>{Text(series[s])}</text>");
        return svg.Append("</svg>").ToString();
    }

    /// <summary>Exponentially weighted mean, so that a trend shows through the noise of single steps.</summary>
    public static IReadOnlyList<(double Step, double Value)> Smoothed(IReadOnlyList<(double Step, double Value)> points)
    {
        double keep = 1 - (1 / Math.Max(1.0, points.Count / 20.0)), mean = points.Count == 0 ? 0 : points[0].Value;
        return [.. points.Select(point => (point.Step, mean = (keep * mean) + ((1 - keep) * point.Value)))];
    }

    private static StringBuilder Begin(string title, double low, double high, Func<double, double> y, bool percent = false)
    {
        var svg = new StringBuilder($"<svg viewBox='0 0 {Width} {Height}' role='img' aria-label='{Text(title)}'><text x='{Left}' y='14' class='title'>{Text(title)}</text>");
        for (int i = 0; i <= 4; i++)
        {
            double value = low + (i * (high - low) / 4);
            string label = percent ? $"{N(100 * value)} %" : value.ToString("G3", CultureInfo.InvariantCulture);
            svg.Append($"<path class='grid' d='M{Left} {N(y(value))}H{Width - Right}'/><text x='{Left - 4}' y='{N(y(value) + 4)}' class='tick' text-anchor='end'>{label}</text>");
        }

        return svg;
    }

    private static (double Low, double High) Padded(double low, double high) => high > low ? (low - (0.04 * (high - low)), high + (0.04 * (high - low))) : (low - 1, high + 1);

    private static string N(double value) => Math.Round(value, 2).ToString(CultureInfo.InvariantCulture);

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
