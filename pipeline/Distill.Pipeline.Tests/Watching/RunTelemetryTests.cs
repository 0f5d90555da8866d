using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Distill.Data.Telemetry;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.Testing;
using Distill.Pipeline.Watching;

namespace Distill.Pipeline.Tests.Watching;

/// <summary>Which spans and metrics a run gives to who listens, and that nobody pays for them else.</summary>
public sealed class RunTelemetryTests
{
    [Fact]
    public void A_run_is_a_span_with_its_stages_and_units_in_it_and_says_how_each_ended()
    {
        using var heard = new Listener("spans");
        var result = new RunResult("spans", "/nowhere", null, null);
        RunTelemetry.Watch("spans", new RecordingObserver(), TimeProvider.System, watched =>
        {
            watched.StageStarted("spans-traces", "not done yet");
            using (UnitTelemetry.Begin("spans-traces", 3, TimeProvider.System, attempt: 2)) Activity.Current.ShouldNotBeNull();
            watched.StageFinished("spans-traces", TimeSpan.FromSeconds(1), "done");
            watched.StageCached("spans-problems", "unchanged", "done");
            watched.StageStarted("spans-sft", "not done yet");
            watched.Metric("spans-sft", 1, new Dictionary<string, double> { ["loss"] = 0.5, ["tokens"] = 128, ["reward"] = 0.75 });
            watched.Progress("spans-sft", new StageProgress(1, 2, "steps", "", 1000, "tokens/s"));
            watched.StageFinished("spans-sft", TimeSpan.FromSeconds(1), "done");
            return result;
        }).ShouldBe(result);

        var run = heard.Spans.Single(span => span.OperationName == "run");
        var stages = heard.Spans.Where(span => span.OperationName == "stage").ToList();
        stages.Select(span => span.GetTagItem("distill.stage")).ShouldBe(["spans-traces", "spans-sft"]);
        stages.ShouldAllBe(span => span.ParentSpanId == run.SpanId && span.TraceId == run.TraceId);
        var unit = heard.Spans.Single(span => span.OperationName == "unit");
        (unit.ParentSpanId, unit.GetTagItem("distill.unit"), unit.GetTagItem("distill.attempt")).ShouldBe((stages[0].SpanId, 3, 2));
        run.GetTagItem("distill.outcome").ShouldBe("finished");
        heard.Of("distill.stage.duration").Count().ShouldBe(2);
        heard.Of("distill.step.loss").ShouldBe([0.5]);
        heard.Of("distill.step.reward").ShouldBe([0.75]);
        heard.Of("distill.training.tokens").ShouldBe([128]);
        heard.Of("distill.throughput").ShouldBe([1000]);
        heard.Of("distill.unit.duration").Count().ShouldBe(1);
    }

    [Theory]
    [InlineData("failed")]
    [InlineData("refused")]
    [InlineData("stopped")]
    public void A_stage_that_ends_its_run_ends_with_it_and_the_message_is_not_said(string outcome)
    {
        const string Secret = "/home/somebody/hf_abcdefghijkl";
        string name = $"ends-{outcome}";
        using var heard = new Listener(name);
        Exception fault = outcome switch
        {
            "failed" => new InvalidDataException(Secret),
            "refused" => new GateFailedException(Secret),
            _ => new OperationCanceledException(),
        };
        Should.Throw<Exception>(() => RunTelemetry.Watch(name, new RecordingObserver(), TimeProvider.System, watched =>
        {
            watched.StageStarted($"{name}-parity", "not done yet");
            throw fault;
        }));
        heard.Spans.Select(span => span.OperationName).ShouldBe(["stage", "run"]);
        heard.Spans.ShouldAllBe(span => (string?)span.GetTagItem("distill.outcome") == outcome);
        heard.Spans.ShouldAllBe(span => span.Status == (outcome == "stopped" ? ActivityStatusCode.Unset : ActivityStatusCode.Error));
        heard.Spans.SelectMany(span => span.TagObjects).ShouldNotContain(tag => $"{tag.Value}".Contains("somebody"));
        Activity.Current.ShouldBeNull();
    }

    [Fact]
    public void A_run_whose_promotion_was_refused_is_no_finished_one_in_the_log()
    {
        var log = new StringWriter();
        new LoggedRun(new StructuredLog(log, LogForm.Text, TimeProvider.System, text => text), new RecordingObserver(), TimeProvider.System)
            .Ended(null, "not promoted: worse");
        log.ToString().ShouldContain("warning run_refused run=: not promoted: worse");
        log.ToString().ShouldNotContain("run_finished");
    }

    /// <summary>Whoever watches a run in between hands on all that there is to hand on, also what observers need not take.</summary>
    [Fact]
    public void Nothing_gets_lost_on_its_way_through_who_watches()
    {
        foreach (var type in (Type[])[typeof(RunTelemetry), typeof(LoggedRun)])
        {
            var map = type.GetInterfaceMap(typeof(IRunObserver));
            map.TargetMethods.ShouldAllBe(method => method.DeclaringType == type, type.Name);
        }
    }

    [Fact]
    public void A_real_run_names_all_its_stages()
    {
        using var folder = new TemporaryFolder();
        using var heard = new Listener("small-watched");
        var recipe = SmallRun.Parse();
        PipelineRun.Run(recipe, new RunOptions { RunsFolder = folder.Path, Name = "small-watched", Until = "curated" },
            new RecordingObserver(), TimeProvider.System, TestContext.Current.CancellationToken);
        heard.Spans.Where(span => span.OperationName == "stage").Select(span => $"{span.GetTagItem("distill.stage")}")
            .ShouldContain("traces");
        heard.Spans.ShouldContain(span => span.OperationName == "unit" && (string?)span.GetTagItem("distill.stage") == "traces");
    }

    [Fact]
    public void Every_name_is_there_once_and_spelled_as_both_sides_want_it()
    {
        Instruments.All.Select(metric => metric.Name).ShouldBeUnique();
        Instruments.All.Select(metric => metric.PrometheusName).ShouldBeUnique();
        foreach (var metric in Instruments.All)
        {
            metric.Name.ShouldMatch("^[a-z][a-z_]*(\\.[a-z_]+)+$");
            metric.PrometheusName.ShouldMatch("^[a-z][a-z_]*$");
            if (metric.Kind == MetricKind.Histogram) metric.Bounds.ShouldBe(metric.Bounds.Order());
        }
    }

    /// <summary>Spans of one run and what is measured while it is at work in stages that begin with its name.</summary>
    private sealed class Listener : IDisposable
    {
        private readonly ActivityListener spans;
        private readonly MeterListener metrics = new();
        private readonly ConcurrentQueue<(string Name, double Value)> measured = [];
        private readonly ConcurrentQueue<Activity> ended = [];
        private readonly string run;

        public Listener(string run)
        {
            this.run = run;
            spans = new ActivityListener
            {
                ShouldListenTo = source => source.Name == Instruments.ScopeName,
                Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
                ActivityStopped = ended.Enqueue,
            };
            ActivitySource.AddActivityListener(spans);
            metrics.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == Instruments.ScopeName) listener.EnableMeasurementEvents(instrument);
            };
            metrics.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Keep(instrument, value, tags));
            metrics.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Keep(instrument, value, tags));
            metrics.Start();
        }

        // Other tests run runs too: only spans of the trace of this one count.
        public IReadOnlyList<Activity> Spans => ended.FirstOrDefault(span =>
            span.OperationName == "run" && (string?)span.GetTagItem("distill.run") == run) is { } own
            ? [.. ended.Where(span => span.TraceId == own.TraceId)] : [];

        public IEnumerable<double> Of(string name) => measured.Where(value => value.Name == name).Select(value => value.Value);

        public void Dispose()
        {
            spans.Dispose();
            metrics.Dispose();
        }

        private void Keep(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            foreach (var tag in tags)
            {
                if (tag.Key == Instruments.Attribute.Stage && $"{tag.Value}".StartsWith(run, StringComparison.Ordinal))
                    measured.Enqueue((instrument.Name, value));
            }
        }
    }
}
