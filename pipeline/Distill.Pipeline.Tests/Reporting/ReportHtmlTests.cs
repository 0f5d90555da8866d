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
        plots.Count.ShouldBe(7 + 1 + 4 + 2); // accuracy against tokens with the marks of its legend, lengths
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
            Accuracies =
            [
                SampleReport.Full.Accuracies[0] with { Model = attack, Way = attack },
                SampleReport.Full.Accuracies[1] with { Model = attack },
            ],
            ExportPrecision = attack,
            Lengths = [SampleReport.Full.Lengths[0] with { Model = attack }, SampleReport.Full.Lengths[1] with { Model = attack }],
            SideBySide = [new(attack, attack, attack, attack, attack, [new ShownAnswer(attack, true, 1, attack, attack)])],
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
    public void The_first_screen_tells_what_happened_in_sentences()
    {
        var story = Story.Of(SampleReport.Full);
        story[0].ShouldBe("16,000 worked solutions by big-teacher were checked against the known answers, and 15,210 (95.1 %) were kept, "
            + "the others left out as wrong (602), duplicate (147), truncated (41). "
            + "A student of 402 k parameters learned from them: trained on steps, then rewarded.");
        story[1].ShouldStartWith("The folder model beside this page is what applications load. It was compared with the trained model and "
            + "answers as it does");
        Story.Of(SampleReport.Full with { Parity = new ParityReport(0.3, 25.9, 100, 6400, 77, 0, ParityTolerance.Exact, false) })[1]
            .ShouldStartWith("The exported file is not the trained model");
        Story.Of(new RunReport { Run = "empty", RecipeDigest = "" }).ShouldBeEmpty();
    }

    [Fact]
    public void What_a_run_did_not_find_out_has_no_section()
    {
        string[] titles = ["Accuracy against tokens", "Lengths and verdicts", "The same problem, every model", "What it took", "Lineage"];
        foreach (string title in titles) Full.ShouldContain($"<h2>{title}</h2>");
        var bare = SampleReport.Full with
        {
            Accuracies = [], Lengths = [], SideBySide = [],
            Stages =
            [
                .. SampleReport.Full.Stages
                    .Select(stage => stage with { Amounts = null, Inputs = new Dictionary<string, string>() }),
            ],
        };
        string html = ReportHtml.Render(bare, []);
        foreach (string title in titles) html.ShouldNotContain(title);
    }

    [Fact]
    public void Lineage_goes_from_the_last_artefact_back_to_what_the_recipe_gave()
    {
        string section = Full[Full.IndexOf("<h2>Lineage", StringComparison.Ordinal)..];
        var tree = XDocument.Parse(section[section.IndexOf("<ul class=\"tree\">", StringComparison.Ordinal)
            ..section.IndexOf("</section>", StringComparison.Ordinal)]);
        string[] names = [.. tree.Descendants("b").Select(name => name.Value)];
        names[0].ShouldBe("parity");
        names.ShouldContain("teacher-model");
        names.Count(name => name == "rl").ShouldBe(2);
        tree.Descendants("small").Count(note => note.Value == "as above").ShouldBe(names.Length - names.Distinct().Count());
        tree.Descendants("small").Count(note => note.Value == "given by the recipe").ShouldBe(2);
    }

    [Fact]
    public void Reward_parts_share_a_plot_and_each_is_told_from_the_next()
    {
        MetricSeries part(string name) => new("rl", name, [(1, 0.1), (2, 0.4)]);
        string html = ReportHtml.Render(
            SampleReport.Full, [part("reward"), part("reward_verdict"), part("reward_length"), part("loss")]);
        html.ShouldContain("<figcaption>parts of the reward, by step</figcaption>");
        html.ShouldContain("<title>rl: verdict</title>");
        html.ShouldContain("<title>rl: length</title>");
        html.ShouldNotContain("more measurements");
    }

    [Fact]
    public void Rewards_of_preferences_are_no_parts_of_a_reward()
    {
        MetricSeries curve(string stage, string name) => new(stage, name, [(1, 0.1), (2, 0.4)]);
        string html = ReportHtml.Render(
            SampleReport.Full, [curve("preference", "reward_margin"), curve("preference", "reward_chosen"), curve("rl", "reward_length")]);
        html.ShouldContain("<figcaption>reward margin, by step</figcaption>");
        html.ShouldContain("<figcaption>reward chosen, by step</figcaption>");
        html.ShouldNotContain("preference: ");
    }

    [Fact]
    public void A_time_and_a_price_that_are_not_all_are_lower_bounds()
    {
        Full.ShouldNotContain("≥");
        var stages = SampleReport.Full.Stages.Select(stage => stage.Name != "traces" ? stage : stage with
        {
            IsTimeAtLeast = true, Amounts = stage.Amounts! with { Cost = 1.5, IsCostAtLeast = true },
        });
        string html = ReportHtml.Render(SampleReport.Full with { Stages = [.. stages] }, []);
        foreach (string text in (string[])["≥ 1 min 32 s", "≥ 1.5", "Its stages took at least", "a process that was stopped or killed"])
            html.ShouldContain(text);
    }

    [Fact]
    public void Answers_are_a_sample_and_traces_are_counted()
    {
        Full.ShouldContain("500 completions, 80.2 % (76.5–83.5) right");
        Full.ShouldContain("16,000 completions, 15,300 right");
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
