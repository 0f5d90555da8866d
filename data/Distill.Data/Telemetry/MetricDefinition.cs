using System.Diagnostics.Metrics;

namespace Distill.Data.Telemetry;

internal enum MetricKind
{
    /// <summary>Only grows, from 0 at the start of the process.</summary>
    Counter,

    /// <summary>The value now.</summary>
    Gauge,

    /// <summary>How often values fell where.</summary>
    Histogram,
}

/// <summary>Who measures something.</summary>
internal enum MetricSource
{
    /// <summary>A process that does a run; sent by OTLP.</summary>
    Run,

    /// <summary><c>distill serve</c>; sent by OTLP and shown at <c>/metrics</c>.</summary>
    Service,
}

/// <summary>What is known of a metric, said once: instruments, the text at <c>/metrics</c> and the page of the documentation follow from
/// it.</summary>
/// <param name="Name">In OpenTelemetry's spelling.</param>
/// <param name="Unit">UCUM; braces hold what is merely counted.</param>
/// <param name="Meaning">A short sentence without a full stop.</param>
internal sealed record MetricDefinition(
    string Name, MetricKind Kind, string Unit, string Meaning, MetricSource Source, params IReadOnlyList<string> Attributes)
{
    /// <summary>Upper bounds of a histogram's buckets, ascending.</summary>
    public IReadOnlyList<double> Bounds { get; init; } = [];

    /// <summary>As Prometheus spells it: the unit at the end, and <c>_total</c> on what only grows.</summary>
    public string PrometheusName
    {
        get
        {
            string unit = Unit switch { "s" => "_seconds", "By" => "_bytes", "1" => "_ratio", _ => "" };
            string name = Name.Replace('.', '_');
            if (!name.EndsWith(unit, StringComparison.Ordinal)) name += unit;
            return Kind == MetricKind.Counter ? name + "_total" : name;
        }
    }

    public Counter<long> Counter(Meter meter) => meter.CreateCounter<long>(Name, Unit, Meaning);

    public Gauge<double> Gauge(Meter meter) => meter.CreateGauge<double>(Name, Unit, Meaning);

    public Histogram<double> Histogram(Meter meter) =>
        meter.CreateHistogram(Name, Unit, Meaning, tags: null, new InstrumentAdvice<double> { HistogramBucketBoundaries = Bounds });
}
