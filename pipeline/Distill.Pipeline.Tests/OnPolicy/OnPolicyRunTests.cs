using System.Text.Json.Nodes;
using Distill.Pipeline.Graph;
using Distill.Pipeline.OnPolicy;
using Distill.Pipeline.Stages.Training;
using Distill.Pipeline.Tests.CommandLine;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.OnPolicy;

/// <summary>The preflight of on-policy distillation as a stage of a run and as a command.</summary>
public sealed class OnPolicyRunTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void It_stands_before_the_distillation_and_only_there()
    {
        Stages().ShouldNotContain("rl_preflight");
        Stages("rl.teacher_weight=1", "rl.preflight=off").ShouldNotContain("rl_preflight");
        var stages = Stages("rl.teacher_weight=1");
        stages.IndexOf("rl_preflight").ShouldBe(stages.IndexOf("rl") - 1);
        KeyOf("rl.teacher_weight=1", "rl.preflight=stop", "rl.preflight_problems=7").ShouldBe(KeyOf("rl.teacher_weight=1"));
        KeyOf("rl.teacher_weight=1", "rl.teacher_divergence=token").ShouldBe(KeyOf("rl.teacher_weight=1"));
        KeyOf("rl.teacher_weight=1", "rl.teacher_divergence=reverse").ShouldNotBe(KeyOf("rl.teacher_weight=1"));
        KeyOf().ShouldNotContain("teacher");
    }

    [Fact]
    public void Its_numbers_are_in_the_log_the_artefact_and_the_report_and_a_base_alone_is_no_fit_for_the_teacher()
    {
        string[] asked = ["sft.enabled=false", "answer_only.enabled=false", "rl.teacher_weight=1", "rl.steps=1", "rl.samples=2"];
        var (_, observer) = SmallRun.Run(folder, null, asked);
        var report = OnPolicyPreflightStage.ReadReport(Path.Combine(folder.Path, "small"));
        observer.Summaries["rl_preflight"].ShouldBe(report.Describe());
        var measure = report.Measure.ShouldNotBeNull();
        measure.Problems.ShouldBe(8); // all that there are
        measure.SharedMass.ShouldBeInRange(0.01, 0.9999);
        var json = JsonNode.Parse(File.ReadAllText(Path.Combine(folder.Path, "small", "report.json")))!["preflight"]!;
        json["verdict"]!.GetValue<string>().ShouldBe(report.Verdict == OnPolicyVerdict.ExpectedToHelp ? "expectedToHelp"
            : "notExpectedToHelp");
        json["measure"]!["sharedMass"]!.GetValue<double>().ShouldBe(measure.SharedMass);
        if (report.Verdict == OnPolicyVerdict.NotExpectedToHelp) observer.Warnings.ShouldContain(text => text.Contains(report.Reason));
    }

    // A teacher that is the student itself has nothing to teach.
    [Fact]
    public void A_command_asks_it_and_a_run_may_end_at_it_with_exit_code_3()
    {
        string recipe = folder.File("small.yaml", SmallRun.Text);
        string student = Path.Combine(RepositoryFolder.Root, "student/models/tiny-base");
        string[] arguments =
        [
            recipe, "--runs", folder.Path, "--set", $"teacher={{ model: {student}, samples: 1, max_tokens: 8 }}", "--set",
            "sft.enabled=false", "--set", "answer_only.enabled=false", "--set", "rl.max_tokens=12",
        ];
        // What a recipe has for rewards alone is left out.
        var asked = CommandLineRun.Of(["preflight", .. arguments, "--set", "rl.resample_rounds=1", "--set", "rl.clip_low=0.1"]);
        asked.Code.ShouldBe(0, asked.Error);
        asked.Out.ShouldContain("preflight  not expected to help: the teacher does not solve more");
        asked.Out.ShouldContain("(0, 95 %: 0 to 0 points)");
        asked.Out.ShouldContain("overlap 1.00;");
        Directory.Exists(Path.Combine(folder.Path, "small-preflight", "5-rl")).ShouldBeFalse();
        var stopped = CommandLineRun.Of(
            ["preflight", .. arguments, "--set", "rl.teacher_weight=1", "--set", "rl.preflight=stop"]);
        stopped.Code.ShouldBe(3, stopped.Error);
        stopped.Error.ShouldContain("The preflight stops the run");
        stopped.Error.ShouldContain("rl.preflight");
        Directory.Exists(Path.Combine(folder.Path, "small", "5-rl-preflight")).ShouldBeFalse();
    }

    private static List<string> Stages(params string[] overrides) =>
        [.. StageGraph.For(SmallRun.Parse(overrides)).Stages.Select(stage => stage.Declaration.Name)];

    private static string KeyOf(params string[] overrides) =>
        StageGraph.For(SmallRun.Parse(overrides)).Stages.Single(stage => stage.Declaration.Name == "rl").Declaration.Options.ToJsonString();
}
