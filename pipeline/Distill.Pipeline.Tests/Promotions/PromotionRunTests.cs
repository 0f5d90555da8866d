using System.Diagnostics;
using Distill.Pipeline.Promotions;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.CommandLine;
using Distill.Pipeline.Tests.Runs;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Promotions;

/// <summary>Real runs that promote their models: what takes the place, what does not, and what the reports say.</summary>
public sealed class PromotionRunTests(PipelineRunTests.FinishedRun finished) : IClassFixture<PipelineRunTests.FinishedRun>, IDisposable
{
    // A dozen problems show nothing: what is accepted is said, not hoped for.
    private static readonly string[] Lenient = ["promote.margin=0.5", "promote.domain_margin=1", "promote.first=any"];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_first_takes_the_place_and_an_unchanged_run_leaves_it_there()
    {
        Copy();
        var (result, observer) = Run(Lenient);
        observer.Done.ShouldBeEmpty(); // promotion changes no stage
        var promotion = result.Report!.Promotion.ShouldNotBeNull();
        (promotion.Outcome, promotion.Version, promotion.Incumbent).ShouldBe((PromotionOutcome.Promoted, 1, null));
        File.ReadAllBytes(Path.Combine(Place, "onnx", "model.onnx"))
            .ShouldBe(File.ReadAllBytes(Path.Combine(result.ModelFolder!, "onnx", "model.onnx")));
        string version = PromotionPlace.FolderOf(Place, 1);
        string[] files = ["student/model.safetensors", "student/tokenizer.json", "traces/curated-train-00000.parquet", "problems.txt"];
        foreach (string file in files)
            File.Exists(Path.Combine(version, file)).ShouldBeTrue(file);
        File.ReadAllText(result.ReportPath!).ShouldContain("Promoted to &#39;mine&#39; as version 1, the first");
        ReportJson.Read(File.ReadAllText(Path.Combine(result.Folder, "report.json"))).ShouldBe(result.Report);

        var (again, _) = Run(Lenient);
        again.Report!.Promotion.ShouldNotBeNull().Version.ShouldBe(1);
        Directory.GetDirectories(Place + ".versions").Length.ShouldBe(1);
        SmallRun.LockOf(folder).ShouldBe(SmallRun.LockOf(finished.Folder));
    }

    [Fact]
    public void The_first_must_be_better_than_its_base_unless_told_otherwise()
    {
        Copy();
        var (result, _) = Run(["promote.minimum=0.99"]);
        var promotion = result.Report!.Promotion.ShouldNotBeNull();
        promotion.Outcome.ShouldBe(PromotionOutcome.Refused);
        promotion.Checks.Select(check => check.Name).ShouldBe(["parity", "minimum", "against the base"]);
        promotion.Checks[1].Passed.ShouldBeFalse();
        Path.Exists(Place).ShouldBeFalse();
    }

    [Fact]
    public void Another_model_is_refused_by_what_is_not_shown_and_promoted_where_enough_is()
    {
        Copy();
        Run(Lenient);
        var (refused, observer) = Run("sft.epochs=1", "promote.margin=0.01");
        refused.Report!.Promotion!.Outcome.ShouldBe(PromotionOutcome.Refused);
        refused.Report.Promotion.Sentence.ShouldContain("a loss below 1 points is not shown");
        observer.Done.ShouldNotContain("evaluation/promoted"); // its answers to the same problems lie beside it
        PromotionPlace.CurrentOf(Place).ShouldBe(1);
        RunCatalogue.Find(folder.Path, "small").State.ShouldBe("finished");
        RunState.TryRead(refused.Folder)!.Verdict.ShouldBe(RunVerdict.Refused); // for a service that was not there to see the exit code

        var (promoted, _) = Run(["sft.epochs=1", .. Lenient]);
        (promoted.Report!.Promotion!.Version, promoted.Report.Promotion.Incumbent).ShouldBe((2, 1));
        RunState.TryRead(promoted.Folder)!.Verdict.ShouldBeNull();

        var (other, measured) = Run(["problems.test=13", .. Lenient]); // other problems: asked again, once
        measured.Done.ShouldContain("evaluation/promoted");
        other.Report!.Promotion!.Incumbent.ShouldBe(2);
        other.Report.Promotion.Checks.Single(check => check.Name == "all problems").Paired!.Problems.ShouldBe(13);
    }

    [Fact]
    public void The_command_promotes_goes_back_and_does_not_promote_again_by_itself()
    {
        Copy();
        string[] runs = ["--runs", folder.Path], to = ["--to", Place];
        string[] lenient = ["--set", "margin=0.5", "--set", "domain_margin=1", "--set", "first=any"];
        CommandLineRun.Of(["promote", "small", .. runs]).Code.ShouldBe(2); // nobody says where to
        var first = CommandLineRun.Of(["promote", "small", .. to, .. lenient, .. runs]);
        first.Code.ShouldBe(0, first.Error);
        first.Out.ShouldContain("as version 1, the first");
        CommandLineRun.Of(["promote", "--back", .. to]).Code.ShouldBe(2); // nothing to go back to

        SmallRun.Run(folder, new RunOptions { Name = "other" }, "sft.epochs=1");
        var second = CommandLineRun.Of(["promote", Path.Combine(folder.Path, "other", "model"), .. to, .. lenient, .. runs]);
        second.Code.ShouldBe(0, second.Error);
        CommandLineRun.Of(["promote", "--back", .. to, "--json"]).Json().GetProperty("to").GetInt32().ShouldBe(1);
        PromotionPlace.CurrentOf(Place).ShouldBe(1);
        var refused = CommandLineRun.Of(["promote", "other", .. to, .. lenient, .. runs]);
        refused.Code.ShouldBe(3);
        refused.Error.ShouldContain("taken out of the place by hand");
        CommandLineRun.Of(["promote", "other", "--again", .. to, .. lenient, .. runs]).Code.ShouldBe(0);
        PromotionPlace.CurrentOf(Place).ShouldBe(3);
        CommandLineRun.Of(["promote", "other", .. to, "--set", "margin=2", .. runs]).Code.ShouldBe(2);
    }

    /// <summary>The command as a process, killed wherever it happens to be: what applications load is one of the models, whole.</summary>
    [Fact]
    public void Killed_again_and_again_the_command_leaves_a_whole_model_in_place()
    {
        Copy();
        SmallRun.Run(folder, new RunOptions { Name = "other" }, "sft.epochs=1");
        string[] names = ["small", "other"];
        byte[][] models = [.. names.Select(name => ModelOf(Path.Combine(folder.Path, name, "model")))];
        models[0].ShouldNotBe(models[1]);
        var random = new Random(20_26);
        for (int turn = 0; turn < 8; turn++)
        {
            using (var process = Start(names[turn % 2]))
            {
                if (turn > 0 && !process.WaitForExit(random.Next(300, 4000))) process.Kill();
                process.WaitForExit();
            }

            byte[] shown = ModelOf(Place);
            models.ShouldContain(model => model.SequenceEqual(shown), $"{turn}");
            PromotionPlace.CurrentOf(Place).ShouldNotBeNull();
        }

        using var last = Start("other");
        last.WaitForExit();
        last.ExitCode.ShouldBe(0);
        ModelOf(Place).ShouldBe(models[1]);
        Process Start(string name) => DistillProcess.Start(
            "promote", name, "--runs", folder.Path, "--to", Place, "--set", "margin=0.5", "--set", "domain_margin=1", "--set", "first=any");
    }

    // Everything that decides how it answers.
    private static byte[] ModelOf(string place) => [.. Directory.EnumerateFiles(place, "*", SearchOption.AllDirectories)
        .Where(path => Path.GetFileName(path) is "model.onnx" or "model.onnx_data" or "tokenizer.json" or "distill.json")
        .Order(StringComparer.Ordinal).SelectMany(File.ReadAllBytes)];

    /// <summary>The night after: it starts from what was promoted, trains on the new and some of the old, and can be repeated.</summary>
    [Fact]
    public void The_next_night_goes_on_from_what_was_promoted()
    {
        Copy();
        string[] next =
        [
            $"continue_from.promoted={Quoted(Place)}", "continue_from.replay=0.25", "sft.epochs=1", "rl.steps=0",
            "answer_only.enabled=false",
        ];
        var before = SmallRun.Parse(next); // nothing is there yet: as if it were not written
        (before.ContinueFrom!.Version, before.ContinueFrom.VersionFolder).ShouldBe((0, null));

        Run(Lenient);
        var recipe = SmallRun.Parse(next);
        string student = Path.Combine(PromotionPlace.FolderOf(Place, 1), "student");
        (recipe.ContinueFrom!.Version, recipe.Student.Base).ShouldBe((1, student));
        var (result, observer) = SmallRun.Run(folder, new RunOptions { Name = "next" }, next);
        observer.Summaries["problems/train"].ShouldContain("none of the 48 that version 1 was trained on");
        observer.Summaries["replay"].ShouldContain("of the traces that version 1 was trained on");
        observer.Notes.ShouldContain($"Goes on from version 1 of '{Place}'.");
        string locked = SmallRun.LockOf(folder, "next");
        locked.ShouldContain("known-problems");
        locked.ShouldContain("replayed-traces");
        locked.ShouldContain(Graph.ExternalInputs.DigestOf(student, new(null, TimeProvider.System)));
        File.ReadAllText(Path.Combine(result.Folder, "recipe.yaml")).ShouldContain("version: 1");

        // Promoted in its turn, and remembering both nights; what was begun goes on from where it began.
        var report = PromotionOrder.Run(folder.Path, "next", Rules(), again: false, new RecordingObserver(), TimeProvider.System, default);
        report.Version.ShouldBe(2);
        KnownProblems.Read(Path.Combine(PromotionPlace.FolderOf(Place, 2), PromotedVersion.ProblemsName)).Count.ShouldBe(96);
        var (continued, options) = PipelineRun.Continuation(folder.Path, "next");
        PipelineRun.Plan(continued, options).Stages.ShouldAllBe(stage => stage.Decision == StageDecision.Cached);
        SmallRun.Parse(next).ContinueFrom!.Version.ShouldBe(2);
    }

    private string Place => Path.Combine(folder.Path, "mine");

    private static string Quoted(string path) => $"\"{path.Replace("\\", "\\\\", StringComparison.Ordinal)}\"";

    private PromotionSection Rules() =>
        new() { To = Place, Margin = 0.5, DomainMargin = 1, First = FirstPromotion.Any };

    private (RunResult Result, RecordingObserver Observer) Run(params string[] overrides) =>
        SmallRun.Run(folder, null, [$"promote.to={Quoted(Place)}", .. overrides]);

    private void Copy() => SmallRun.Copy(finished.Folder.Path, folder.Path);
}
