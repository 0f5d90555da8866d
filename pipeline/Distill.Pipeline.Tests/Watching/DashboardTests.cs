using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Distill.Data.Telemetry;
using Distill.Service.Watching;

namespace Distill.Pipeline.Tests.Watching;

/// <summary>Alarms and dashboard of <c>deploy/</c> speak of metrics and labels that there are.</summary>
public sealed partial class DashboardTests
{
    private static readonly string Folder = Path.Combine(RepositoryFolder.Root, "deploy");

    private static readonly string Rules = Path.Combine(Folder, "prometheus-rules.yaml");

    private static string[] Expressions =>
    [
        .. RuleExpression().Matches(File.ReadAllText(Rules)).Select(rule => rule.Groups[1].Value),
        .. Panels().SelectMany(panel => panel.GetProperty("targets").EnumerateArray())
            .Select(target => target.GetProperty("expr").GetString()!),
    ];

    [Fact]
    public void Every_expression_asks_for_metrics_and_labels_that_are_exposed()
    {
        var known = Instruments.All.Where(metric => metric.Source == MetricSource.Service)
            .ToDictionary(metric => metric.PrometheusName, metric => metric.Attributes.Select(PrometheusText.LabelOf).ToList());
        Expressions.Length.ShouldBeGreaterThan(20);
        foreach (string expression in Expressions)
        {
            var asked = Metric().Matches(expression);
            asked.Count.ShouldBeGreaterThan(0, expression);
            foreach (Match metric in asked)
            {
                known.ShouldContainKey(metric.Groups["name"].Value, expression);
                foreach (Match label in Label().Matches(metric.Groups["labels"].Value))
                    known[metric.Groups["name"].Value].ShouldContain(label.Groups[1].Value, expression);
            }
        }
    }

    [Fact]
    public void Every_metric_of_the_service_is_on_the_dashboard()
    {
        string all = string.Join('\n', Panels().Select(panel => panel.GetRawText()));
        foreach (var metric in Instruments.All.Where(metric => metric.Source == MetricSource.Service && metric != Instruments.SchedulePaused
            && metric != Instruments.ScheduleLast))
            all.ShouldContain(metric.PrometheusName);
    }

    [Fact]
    public void Panels_do_not_lie_on_one_another()
    {
        var places = Panels().Select(panel => panel.GetProperty("gridPos")).SelectMany(place =>
            from x in Enumerable.Range(place.GetProperty("x").GetInt32(), place.GetProperty("w").GetInt32())
            from y in Enumerable.Range(place.GetProperty("y").GetInt32(), place.GetProperty("h").GetInt32())
            select (x, y)).ToList();
        places.ShouldBeUnique();
        places.ShouldAllBe(place => place.x < 24); // columns
        Panels().Select(panel => panel.GetProperty("id").GetInt32()).ShouldBeUnique();
    }

    [Fact]
    public void The_alarms_are_what_Prometheus_takes()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/promtool"), "promtool is not installed.");
        var start = new ProcessStartInfo("promtool", ["check", "rules", Rules])
            { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        string said = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();
        process.ExitCode.ShouldBe(0, said);
    }

    private static IEnumerable<JsonElement> Panels() => JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, "grafana-dashboard.json")))
        .RootElement.GetProperty("panels").EnumerateArray();

    [GeneratedRegex(@"^\s+expr: (.+)$", RegexOptions.Multiline)]
    private static partial Regex RuleExpression();

    [GeneratedRegex(@"\b(?<name>distill_[a-z_]+)(?<labels>\{[^}]*\})?")]
    private static partial Regex Metric();

    [GeneratedRegex(@"(\w+)=~?""")]
    private static partial Regex Label();
}
