using System.Globalization;
using System.Text;
using Distill.Data.Telemetry;

namespace Distill.Service.Watching;

/// <summary>Metrics in the text format of Prometheus, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats).</summary>
internal static class PrometheusText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    public static string Write(IEnumerable<(MetricDefinition Metric, IReadOnlyList<MetricSample> Samples)> metrics)
    {
        var text = new StringBuilder();
        foreach (var (metric, samples) in metrics)
        {
            string name = metric.PrometheusName;
            text.Append("# HELP ").Append(name).Append(' ').Append(Escaped(metric.Meaning, isLabel: false)).Append('\n');
            text.Append("# TYPE ").Append(name).Append(' ')
                .Append(metric.Kind == MetricKind.Counter ? "counter" : "gauge").Append('\n');
            foreach (var sample in samples) Write(text, name, metric, sample);
        }

        return text.ToString();
    }

    /// <summary>An attribute as a label: its last part.</summary>
    public static string LabelOf(string attribute) => attribute[(attribute.LastIndexOf('.') + 1)..];

    private static void Write(StringBuilder text, string name, MetricDefinition metric, MetricSample sample)
    {
        text.Append(name);
        if (metric.Attributes.Count > 0)
        {
            text.Append('{');
            for (int i = 0; i < metric.Attributes.Count; i++)
            {
                if (i > 0) text.Append(',');
                text.Append(LabelOf(metric.Attributes[i])).Append("=\"").Append(Escaped(sample.Labels[i], isLabel: true)).Append('"');
            }

            text.Append('}');
        }

        text.Append(' ').Append(Number(sample.Value)).Append('\n');
    }

    private static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };

    private static string Escaped(string text, bool isLabel)
    {
        text = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        return isLabel ? text.Replace("\"", "\\\"", StringComparison.Ordinal) : text;
    }
}
