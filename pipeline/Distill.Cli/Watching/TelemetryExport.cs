using System.Reflection;
using Distill.Data.Telemetry;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Distill.Cli.Watching;

/// <summary>
/// Sends spans and metrics by OTLP while it is not disposed of. Asked for by OpenTelemetry's own environment variables, which also say
/// where to, how and with what: <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> and its kin. A collector that is not there delays nothing and loses what
/// it was sent.
/// </summary>
internal sealed class TelemetryExport : IDisposable
{
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT", TracesEndpoint = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        MetricsEndpoint = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", TracesExporter = "OTEL_TRACES_EXPORTER",
        MetricsExporter = "OTEL_METRICS_EXPORTER", Disabled = "OTEL_SDK_DISABLED", None = "none", Service = "distill";

    // Of the end of a process: one that is stopped has seconds.
    private const int Patience = 1_500; // ms

    private readonly TracerProvider? traces;
    private readonly MeterProvider? metrics;

    private TelemetryExport(ResourceBuilder resource, bool sendsTraces, bool sendsMetrics)
    {
        if (sendsTraces)
            traces = Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource).AddSource(Instruments.ScopeName).AddOtlpExporter()
                .Build();
        if (sendsMetrics)
            metrics = Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource)
                .AddMeter(Instruments.ScopeName, Instruments.ServiceScopeName, "System.Runtime").AddOtlpExporter().Build();
    }

    /// <param name="command">The word of the command line that is at work.</param>
    /// <param name="run">The run that it works on; null where it works on many.</param>
    /// <returns>Null where nobody asked for it, which costs nothing.</returns>
    /// <exception cref="UsageException">An endpoint is no address.</exception>
    public static IDisposable? Start(string command, string? run)
    {
        bool isOff = IsTrue(Disabled), isAnywhere = IsSet(Endpoint);
        bool sendsTraces = !isOff && (isAnywhere || IsSet(TracesEndpoint)) && Value(TracesExporter) != None;
        bool sendsMetrics = !isOff && (isAnywhere || IsSet(MetricsEndpoint)) && Value(MetricsExporter) != None;
        if (!sendsTraces && !sendsMetrics) return null;
        foreach (string variable in (string[])[Endpoint, TracesEndpoint, MetricsEndpoint]) RequireAddress(variable);
        return Begin(command, run, sendsTraces, sendsMetrics);
    }

    public void Dispose()
    {
        Parallel.Invoke(() => traces?.Shutdown(Patience), () => metrics?.Shutdown(Patience));
        traces?.Dispose();
        metrics?.Dispose();
    }

    // A method of its own: the libraries are loaded by whoever enters it.
    private static TelemetryExport Begin(string command, string? run, bool sendsTraces, bool sendsMetrics)
    {
        string version = typeof(TelemetryExport).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!
            .InformationalVersion.Split('+')[0];
        var attributes = new Dictionary<string, object> { ["distill.command"] = command };
        if (run is not null) attributes[Instruments.Attribute.Run] = run;
        var resource = ResourceBuilder.CreateEmpty().AddService(Service, serviceVersion: version).AddTelemetrySdk()
            .AddAttributes(attributes).AddEnvironmentVariableDetector(); // OTEL_SERVICE_NAME and its kin have the last word
        return new(resource, sendsTraces, sendsMetrics);
    }

    private static void RequireAddress(string variable)
    {
        if (Value(variable) is { } text && !(Uri.TryCreate(text, UriKind.Absolute, out var address)
            && address.Scheme is "http" or "https"))
            throw new UsageException($"{variable} is no address.", "Write one such as http://localhost:4317, or unset the variable.");
    }

    private static bool IsSet(string variable) => Value(variable) is not null;

    private static bool IsTrue(string variable) => string.Equals(Value(variable), "true", StringComparison.OrdinalIgnoreCase);

    private static string? Value(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : null;
}
