using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using Distill.Pipeline.Tests.Testing;
using Distill.Service.Running;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;

namespace Distill.Pipeline.Tests.Watching;

/// <summary>The program beside a collector: what is sent to it, whose trace it belongs to, and what happens when there is none.</summary>
public sealed class CollectorTests : IDisposable
{
    private const string Trace = "4bf92f3577b34da6a3ce929d0e0e4736", Parent = "00f067aa0ba902b7";

    private readonly TemporaryFolder folder = new();

    private static CancellationToken Ending => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_run_sends_its_spans_below_its_parent_and_its_metrics_and_no_path_or_secret()
    {
        await using var collector = await Collector.Start();
        var (code, error) = await Generate(collector.Address, ("TRACEPARENT", $"00-{Trace}-{Parent}-01"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer collector-secret-1"), ("OTEL_RESOURCE_ATTRIBUTES", "lab=north"));
        code.ShouldBe(0, error);
        string traces = collector.All("/v1/traces"), metrics = collector.All("/v1/metrics");
        foreach (string part in (string[])["run", "stage", "unit", "distill.stage", "traces", "service.name", "distill.run", "lab", "north",
            "telemetry.sdk.name"])
            traces.ShouldContain(part);
        string ids = Convert.ToHexStringLower(Encoding.Latin1.GetBytes(traces));
        ids.ShouldContain(Trace); // as bytes
        ids.ShouldContain(Parent);
        foreach (string part in (string[])["distill.run.duration", "distill.stage.duration", "distill.unit.duration"])
            metrics.ShouldContain(part);
        collector.Authorizations.ShouldAllBe(header => header == "Bearer collector-secret-1");
        foreach (string secret in (string[])[folder.Path, RepositoryFolder.Root, "collector-secret-1"])
            (traces + metrics).ShouldNotContain(secret);
    }

    [Fact]
    public async Task A_collector_that_is_not_there_changes_nothing_and_one_that_is_no_address_is_said()
    {
        var (code, error) = await Generate("http://127.0.0.1:9");
        code.ShouldBe(0, error);
        (code, error) = await Generate("here");
        code.ShouldBe(2, error);
        error.ShouldContain("OTEL_EXPORTER_OTLP_ENDPOINT is no address.");
    }

    [Fact]
    public async Task A_process_that_the_service_starts_is_told_the_span_that_it_belongs_to()
    {
        var said = new ConcurrentQueue<string>();
        var program = new DistillProgram(["/bin/sh", "-c", "echo \"parent=$TRACEPARENT\""], [], TimeProvider.System);
        using (var span = new Activity("attempt").SetIdFormat(ActivityIdFormat.W3C).Start())
        {
            await program.RunAsync([], line => said.Enqueue(line.Text), Ending);
            said.ShouldBe([$"parent={span.Id}"]);
        }
    }

    private async Task<(int Code, string Error)> Generate(string endpoint, params (string Name, string Value)[] variables)
    {
        string recipe = folder.File("small.yaml", SmallRun.Text);
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string word in (string[])[DistillProcess.Tool, "generate", recipe, "--runs", folder.File("runs"), "--json", "--no-cache"])
            start.ArgumentList.Add(word);
        start.Environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint;
        start.Environment["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf";
        foreach (var (name, value) in variables) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync(Ending);
        string output = await process.StandardOutput.ReadToEndAsync(Ending);
        await process.WaitForExitAsync(Ending);
        return (process.ExitCode, output + await error);
    }

    /// <summary>Takes what is sent by OTLP over HTTP. What is in it is looked for as text: names and values stand in it as they
    /// are.</summary>
    private sealed class Collector : IAsyncDisposable
    {
        private readonly WebApplication application;
        private readonly ConcurrentQueue<(string Path, string Body)> received = [];

        private Collector(WebApplication application) => this.application = application;

        public string Address => application.Urls.Single();

        public ConcurrentQueue<string> Authorizations { get; } = [];

        public static async Task<Collector> Start()
        {
            var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
            builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
            var collector = new Collector(builder.Build());
            collector.application.Run(async context =>
            {
                using var memory = new MemoryStream();
                await context.Request.Body.CopyToAsync(memory, Ending);
                collector.Authorizations.Enqueue(context.Request.Headers.Authorization.ToString());
                collector.received.Enqueue((context.Request.Path, Encoding.Latin1.GetString(memory.ToArray())));
            });
            await collector.application.StartAsync(Ending);
            return collector;
        }

        public string All(string path) => string.Concat(received.Where(one => one.Path == path).Select(one => one.Body));

        public ValueTask DisposeAsync() => application.DisposeAsync();
    }
}
