using Distill.Data.Traces;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.Testing;
using Distill.Storage;

namespace Distill.Pipeline.Tests.Runs;

/// <summary>Whole runs with real models, real training and real files; what is checked is what is done again, and what comes out.</summary>
public sealed class PipelineRunTests : IClassFixture<PipelineRunTests.FinishedRun>, IDisposable
{
    private readonly FinishedRun finished;
    private readonly TemporaryFolder folder = new();

    public PipelineRunTests(FinishedRun finished) => this.finished = finished;

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_run_does_every_stage_and_leaves_what_the_design_names()
    {
        finished.Observer.Done.ShouldBe(finished.AllStages);
        string run = Path.Combine(finished.Folder.Path, "small");
        string[] files =
        [
            "recipe.yaml", "run.lock.json", "report.html", "report.json", "metrics.jsonl", "progress.json", "run.log",
            "1-problems/test/problems.jsonl", "2-traces/README.md", "3-curated/data/train-00000.parquet",
            "4-sft/checkpoint/model.safetensors", "5-rl/checkpoint/config.json", "6-onnx/onnx/model.onnx",
            "7-parity/parity.json", "model/genai_config.json", "run.json",
        ];
        foreach (string file in files) File.Exists(Path.Combine(run, file)).ShouldBeTrue(file);
    }

    [Fact]
    public void An_unchanged_recipe_does_nothing_again_and_the_plan_says_so()
    {
        Copy();
        var (_, observer) = SmallRun.Run(folder);
        observer.Done.ShouldBeEmpty();
        observer.Cached.ShouldBe(finished.AllStages);
        PipelineRun.Plan(SmallRun.Parse(), new RunOptions { RunsFolder = folder.Path })
            .Stages.ShouldAllBe(stage => stage.Decision == StageDecision.Cached);
        SmallRun.LockOf(folder).ShouldBe(SmallRun.LockOf(finished.Folder));
    }

    [Fact]
    public void A_changed_option_does_its_stage_again_and_what_follows_from_it()
    {
        Copy();
        var plan = PipelineRun.Plan(SmallRun.Parse("rl.learning_rate=0.001"), new RunOptions { RunsFolder = folder.Path });
        plan.Stages.Where(stage => stage.Decision == StageDecision.Cached).Select(stage => stage.Name).ShouldBe(
        [
            .. Problems, "traces", "curated", "answer-only", "sft",
            "evaluation/teacher", "evaluation/base", "evaluation/answer-only", "evaluation/sft",
        ]);
        plan.Stages.Single(stage => stage.Name == "rl").Reason.ShouldContain("rl.learning_rate: default → 0.001");
        var (_, observer) = SmallRun.Run(folder, null, "rl.learning_rate=0.001");
        observer.Done.ShouldBe(["rl", "onnx", "parity", "evaluation/rl", "evaluation/onnx", "model"]);
    }

    [Fact]
    public void Another_value_and_back_does_nothing_again()
    {
        Copy();
        string report = File.ReadAllText(Path.Combine(folder.Path, "small", "report.json"));
        SmallRun.Run(folder, null, "rl.learning_rate=0.001");
        SmallRun.LockOf(folder).ShouldNotBe(SmallRun.LockOf(finished.Folder));
        var (_, observer) = SmallRun.Run(folder);
        observer.Done.ShouldBeEmpty();
        observer.ReasonOf("rl").ShouldBe("made before");
        SmallRun.LockOf(folder).ShouldBe(SmallRun.LockOf(finished.Folder));
        File.ReadAllBytes(Path.Combine(folder.Path, "small", "model", "onnx", "model.onnx"))
            .ShouldBe(File.ReadAllBytes(Path.Combine(finished.Folder.Path, "small", "model", "onnx", "model.onnx")));
        report.ShouldNotBeEmpty();
        File.Exists(Path.Combine(folder.Path, "small", "report.json")).ShouldBeTrue();
    }

    /// <summary>A model that was never exported: it is run on the graph that it would be exported as.</summary>
    [Fact]
    public void A_checkpoint_can_be_the_teacher()
    {
        string checkpoint = Path.Combine(RepositoryFolder.Root, "student/models/tiny-base");
        var (result, _) = SmallRun.Run(
            folder, new RunOptions { Name = "checkpoint", Until = "traces" }, $"teacher.model={checkpoint}", "problems.train=4");
        var traces = TraceFile.Read(Path.Combine(result.Folder, "2-traces", "data", "train-00000.parquet")).ToList();
        traces.Count.ShouldBe(4);
        traces.ShouldAllBe(trace => trace.Teacher == "tiny-base" && trace.CompletionTokens > 0);
    }

    [Fact]
    public void Another_run_takes_over_finished_stages_unless_told_not_to()
    {
        Copy();
        var (_, observer) = SmallRun.Run(folder, new RunOptions { Name = "second", Until = "curated" });
        observer.Done.ShouldBeEmpty();
        observer.ReasonOf("traces").ShouldBe("made before");
        var (_, cold) = SmallRun.Run(folder, new RunOptions { Name = "third", Until = "problems", UseOtherRuns = false });
        cold.Done.ShouldBe(Problems);
    }

    [Fact]
    public void More_test_problems_cost_no_trace_and_no_training()
    {
        Copy();
        var (_, observer) = SmallRun.Run(folder, null, "problems.test=13");
        observer.Done.ShouldNotContain(stage =>
            stage == "traces" || stage == "curated" || stage == "sft" || stage == "answer-only" || stage == "rl");
        observer.Done.ShouldContain("evaluation/sft");
    }

    [Fact]
    public void More_samples_generate_only_what_is_new()
    {
        Copy();
        string journals = Path.Combine(folder.Path, ".store", ".completions");
        long before = Directory.EnumerateFiles(journals, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length);
        SmallRun.Run(folder, new RunOptions { Until = "traces" }, "teacher.samples=2");
        long after = Directory.EnumerateFiles(journals, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length);
        ((double)(after - before) / before).ShouldBe(1, 0.25); // as much again, not twice as much
    }

    [Fact]
    public void A_finished_part_is_taken_again_and_a_damaged_one_is_made_again()
    {
        string[] more = ["problems.train=600"]; // two parts
        var options = new RunOptions { Until = "traces", UseOtherRuns = false };
        SmallRun.Run(folder, options, more);
        string link = Path.Combine(folder.Path, "small", "2-traces");
        string work = new DirectoryInfo(link).ResolveLinkTarget(returnFinalTarget: true)!.FullName;
        string part = Path.Combine(work, "data", "train-00000.parquet"), other = Path.Combine(work, "data", "train-00001.parquet");
        byte[] whole = File.ReadAllBytes(part), last = File.ReadAllBytes(other);
        foreach (string manifest in Directory.EnumerateFiles(work, "manifest-*")) File.Delete(manifest); // as if a kill had come before it
        var written = File.GetLastWriteTimeUtc(part);
        File.Delete(Path.Combine(work, ".work.jsonl"));
        Write(part, whole, work);
        Write(other, last, work);
        SmallRun.Unprotect(other);
        last[last.Length / 2] ^= 1;
        File.WriteAllBytes(other, last);
        var (_, observer) = SmallRun.Run(folder, options, more);
        observer.ReasonOf("traces").ShouldBe("continues at part 2 of 2");
        observer.Warnings.ShouldHaveSingleItem().ShouldContain("train-00001.parquet.damaged");
        File.GetLastWriteTimeUtc(part).ShouldBe(written);
        File.ReadAllBytes(part).ShouldBe(whole);
    }

    // What the writer notes of a part when it commits it.
    private static void Write(string path, byte[] content, string work) => new WorkLog(work).Add(new ArtifactFile(
        Path.GetRelativePath(work, path), content.Length, FileDigest.Of(content), content.Length == 0 ? 0 : null));

    [Fact]
    public void A_forced_stage_is_done_again_and_what_comes_out_equal_spares_the_rest()
    {
        Copy();
        var (_, observer) = SmallRun.Run(folder, new RunOptions { Force = "sft" });
        observer.Done.ShouldBe(["sft"]);
        SmallRun.LockOf(folder).ShouldBe(SmallRun.LockOf(finished.Folder));
        new DirectoryInfo(Path.Combine(folder.Path, "small", "4-sft")).LinkTarget.ShouldEndWith("~/2"); // beside the first, which stays
        Directory.EnumerateDirectories(Path.Combine(folder.Path, ".store", "checkpoint")).Count().ShouldBe(4);
    }

    [Fact]
    public void Only_one_stage_needs_only_what_it_is_made_from()
    {
        Copy();
        Directory.Delete(Path.Combine(folder.Path, "small", "4-answer-only"));
        var (_, observer) = SmallRun.Run(folder, new RunOptions { Only = "sft" });
        observer.Done.ShouldBe(["sft"]);
        observer.Cached.ShouldBe(["problems/train", "traces", "curated"]);
    }

    [Fact]
    public void A_damaged_file_is_noticed_and_its_stage_done_again()
    {
        Copy();
        string damaged = Path.Combine(folder.Path, "small", "7-parity", "parity.json");
        SmallRun.Unprotect(damaged);
        File.WriteAllText(damaged, File.ReadAllText(damaged) + " ");
        var (_, observer) = SmallRun.Run(folder);
        observer.Done.ShouldBe(["parity"]);
        observer.Warnings.ShouldHaveSingleItem().ShouldContain("parity.json");
        SmallRun.LockOf(folder).ShouldBe(SmallRun.LockOf(finished.Folder));
    }

    [Fact]
    public void A_failed_parity_gate_stops_the_run_and_commits_nothing()
    {
        Copy();
        var fault = Should.Throw<GateFailedException>(() => SmallRun.Run(folder, null, "parity.tolerance=0"));
        fault.Message.ShouldContain("a logit differs by");
        PipelineRun.Plan(SmallRun.Parse("parity.tolerance=0"), new RunOptions { RunsFolder = folder.Path }).Stages
            .Single(stage => stage.Name == "parity").Decision.ShouldBe(StageDecision.Run);
        File.Exists(Path.Combine(folder.Path, "small", "parity-failed.json")).ShouldBeTrue();
        File.Exists(Path.Combine(folder.Path, "small", "report.html")).ShouldBeFalse(); // it spoke of another export
        RunCatalogue.Find(folder.Path, "small").State.ShouldBe("failed");
    }

    [Fact]
    public void Stages_that_do_not_exist_or_are_not_ready_are_refused()
    {
        Should.Throw<RunRefusedException>(() => SmallRun.Run(folder, new RunOptions { From = "sftt" }))
            .Message.ShouldContain("did you mean 'sft'");
        Should.Throw<RunRefusedException>(() => SmallRun.Run(folder, new RunOptions { Only = "sft" }))
            .Message.ShouldContain("not finished");
    }

    private static readonly string[] Problems = ["problems/train", "problems/validation", "problems/test", "problems/twins"];

    private void Copy() => SmallRun.Copy(finished.Folder.Path, folder.Path);

    /// <summary>One undisturbed run that the tests copy.</summary>
    public sealed class FinishedRun : IDisposable
    {
        public FinishedRun() => (_, Observer) = SmallRun.Run(Folder);

        internal TemporaryFolder Folder { get; } = new();

        internal RecordingObserver Observer { get; }

        internal IReadOnlyList<string> AllStages { get; } =
        [
            .. Problems, "traces", "curated", "answer-only", "sft", "rl", "onnx", "parity", "evaluation/teacher", "evaluation/base",
            "evaluation/answer-only", "evaluation/sft", "evaluation/rl", "evaluation/onnx", "model",
        ];

        public void Dispose() => Folder.Dispose();
    }
}
