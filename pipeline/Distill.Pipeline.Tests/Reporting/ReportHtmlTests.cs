using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Distill.Verification;
using Distill.Evaluation;
using Distill.Export.Parity;
using Distill.Pipeline.Reporting;

namespace Distill.Pipeline.Tests.Reporting;

public sealed partial class ReportHtmlTests
{
    private static readonly string Full = ReportHtml.Render(SampleReport.Full, SampleReport.Curves);

    [Fact]
    public void A_page_is_written_to_look_at()
    {
        // With DISTILL_REPORT_PREVIEW set to a file, the sample is left there for a browser.
        if (Environment.GetEnvironmentVariable("DISTILL_REPORT_PREVIEW") is { Length: > 0 } path) File.WriteAllText(path, Full);
        Full.ShouldStartWith("<!DOCTYPE html>");
    }

    [Fact]
    public void The_page_needs_nothing_else()
    {
        Full.ShouldContain("default-src 'none'");
        Full.ShouldNotContain("<script", Case.Insensitive);
        Full.ShouldNotContain("http:", Case.Insensitive);
        Full.ShouldNotContain("https:", Case.Insensitive);
        Full.ShouldNotContain("url(", Case.Insensitive);
    }

    [Fact]
    public void Every_plot_is_well_formed_with_finite_coordinates()
    {
        var plots = Plot().Matches(Full);
        plots.Count.ShouldBe(7);
        foreach (Match plot in plots)
        {
            XDocument.Parse(plot.Value);
            plot.Value.ShouldNotContain("NaN");
            plot.Value.ShouldNotContain("∞");
        }
    }

    [Fact]
    public void Tags_are_balanced()
    {
        string body = Full[Full.IndexOf("<body>", StringComparison.Ordinal)..Full.IndexOf("</html>", StringComparison.Ordinal)];
        XDocument.Parse(body);
    }

    [Fact]
    public void Whatever_a_model_writes_stays_text()
    {
        const string attack = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)></pre>&lt;b&gt;/*style*/\u0000\u202e\ud800";
        var row = SampleReport.Full.Evaluations[0] with
        {
            Model = attack,
            ByDomain = [SampleReport.Full.Evaluations[0].ByDomain[0] with { Domain = attack }],
            SampleTraces = [new SampleTrace(attack, attack, attack, attack, attack, Verdict.Undecidable)],
        };
        var report = SampleReport.Full with
        {
            Run = attack,
            RecipeDigest = attack,
            Evaluations = [row],
            Notes = [attack],
            Stages =
                [new StageReport(attack, StageState.Failed, attack, 1, new Dictionary<string, string> { [attack] = attack },
                    new Dictionary<string, string>())],
            Curation = new CurationReport(
                1, new Dictionary<string, long> { [attack] = 1 },
                new Dictionary<string, IReadOnlyList<DroppedTrace>> { [attack] = [new(attack, 0, attack, attack, attack, attack)] }),
            Throughput = new Dictionary<string, double> { [attack] = 1 },
            Comparisons = [SampleReport.Full.Comparisons[0] with { Model = attack, Against = attack }],
            ModelSizes = [new ModelSize(attack, 1, 1)],
            Models = [new ReportedModel(attack, ModelRole.Student, attack, attack)],
            Recipe = new RecipeReport([new RecipeValue(attack, attack, attack)], attack),
            Machine = new MachineReport(attack, 1, 1, attack, new Dictionary<string, string> { [attack] = attack }),
        };
        string html = ReportHtml.Render(report, [new MetricSeries(attack, attack, [(0, 1), (1, 2)])]);
        html.ShouldNotContain("<script");
        html.ShouldNotContain("<img");
        html.ShouldContain("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&gt;&lt;img src=x onerror=alert(2)&gt;"
            + "&lt;/pre&gt;&amp;lt;b&amp;gt;/*style*/␀");
        html.ShouldNotContain('\0');
        Tag().Count(html).ShouldBe(Tag().Count(html.Replace("&lt;", "", StringComparison.Ordinal)));
    }

    [Fact]
    public void Nothing_but_a_name_is_a_report_too()
    {
        string html = ReportHtml.Render(new RunReport { Run = "empty", RecipeDigest = "" }, []);
        html.ShouldContain("no model was evaluated");
        html.ShouldNotContain("<section");
    }

    [Fact]
    public void What_was_not_measured_is_marked_as_such()
    {
        var bare = SampleReport.Full.Evaluations.Where(row => row.Model != "rl")
            .Select(row =>
                row with { Samples = 0, PassAt1 = null, Interval95 = null, MajAtK = null, Twins = null, ByDomain = [], SampleTraces = [] });
        string html =
            ReportHtml.Render(
                SampleReport.Full with { Evaluations = [.. bare], Parity = null, OnnxGreedyAnswersEqual = null, Curation = null,
                    ModelSizes = [] }, []);
        html.ShouldContain("title=\"not measured\"");
        html.ShouldContain(">not measured</text>");
        html.ShouldNotContain("Perturbation twins");
        html.ShouldNotContain("<h2>Exported file");
        html.ShouldNotContain("RL 80.2 %");
    }

    [Fact]
    public void Curves_without_a_finite_point_are_left_out() =>
        ReportHtml.Render(SampleReport.Full, [new("sft", "loss", [(1, double.NaN), (2, double.PositiveInfinity)]), new("rl", "reward", [])])
            .ShouldNotContain("Learning curves");

    [Fact]
    public void A_flat_curve_has_a_plot() =>
        XDocument.Parse(Plot()
            .Matches(ReportHtml.Render(new RunReport { Run = "r", RecipeDigest = "" }, [new("rl", "reward", [(5, 0), (6, 0)])]))[0].Value);

    [Fact]
    public void A_failed_gate_is_said_first_of_all()
    {
        var failed = new ParityReport(0.3, 25.9, 100, 6400, 77, 0, ParityTolerance.Exact, false);
        string html = ReportHtml.Render(SampleReport.Full with { Parity = failed }, []);
        html.ShouldContain("exported file is NOT the trained model: the parity gate failed</h1>");
        html.ShouldContain("<span class=\"pill bad\">fail</span>");
    }

    [Fact]
    public void The_culture_of_the_machine_changes_nothing()
    {
        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture =
                new CultureInfo("") { NumberFormat =
                    new NumberFormatInfo { NumberDecimalSeparator = ",", NumberGroupSeparator = ".", NegativeSign = "~" } };
            ReportHtml.Render(SampleReport.Full, SampleReport.Curves).ShouldBe(Full);
            ReportTable.Of(SampleReport.Full).ToMarkdown().ShouldNotContain("80,2");
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void A_model_that_nobody_foresaw_is_shown_like_the_others()
    {
        var row = SampleReport.Full.Evaluations[0] with { Model = "on-policy" };
        var report = SampleReport.Full with
        {
            Models =
            [
                .. SampleReport.Full.Models.SkipLast(1),
                new("on-policy", ModelRole.Student, "its own words", "then corrected on its own completions"),
                SampleReport.Full.Models[^1],
            ],
            Evaluations = [.. SampleReport.Full.Evaluations, row],
            Comparisons = [SampleReport.Full.Comparisons[0] with { Model = "on-policy", Against = "rl" }],
        };
        Findings.Headline(report).ShouldContain("RL 80.2 % → its own words ");
        ReportTable.Of(report).Rows.Select(cells => cells[0])
            .ShouldBe(["teacher", "base", "answer-only", "sft", "rl", "on-policy", "onnx"]);
        string html = ReportHtml.Render(report, [new("on-policy", "loss", [(1, 2), (2, 1)])]);
        html.ShouldContain("then corrected on its own completions");
        html.ShouldContain("its own words better than RL, greedy");
        string[] colours = [.. report.Models.Select(model => new ReportModels(report).ColorOf(model.Name))];
        colours.Distinct().Count().ShouldBe(7);
        html.ShouldContain($"<g class=\"{colours[5]}\"><title>on-policy</title>");
        string css = html[html.IndexOf("<style>", StringComparison.Ordinal)..html.IndexOf("</style>", StringComparison.Ordinal)];
        foreach (string colour in colours) css.ShouldContain($".{colour} {{");
    }

    [Fact]
    public void What_was_asked_and_where_it_ran_is_in_it()
    {
        string[] texts = ["<code>sft.epochs</code>", ">3<", "seed: 1", "AMD EPYC", "TorchSharp", "0.1.0+abc"];
        foreach (string text in texts) Full.ShouldContain(text);
        ReportHtml.Render(SampleReport.Full with { Recipe = null, Machine = null }, []).ShouldNotContain("Machine and versions");
    }

    [GeneratedRegex("<svg.*?</svg>", RegexOptions.Singleline)]
    private static partial Regex Plot();

    [GeneratedRegex("<[a-z/]")]
    private static partial Regex Tag();
}
