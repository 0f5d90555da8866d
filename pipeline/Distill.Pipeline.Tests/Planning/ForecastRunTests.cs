using Distill.Pipeline.Graph;
using Distill.Pipeline.Planning;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Stages;
using Distill.Pipeline.Tests.CommandLine;
using Distill.Pipeline.Tests.Testing;
using Distill.Storage;

namespace Distill.Pipeline.Tests.Planning;

/// <summary>Predictions of real runs: what the first took is what the second is told to take.</summary>
public sealed class ForecastRunTests : IDisposable
{
    private static readonly RunOptions Traces = new() { Until = "sft" };

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_second_plan_is_made_of_what_the_first_run_took()
    {
        var before = Plan();
        before.Basis.ShouldBe("estimated");
        before.Stages.Where(stage => stage.Decision == StageDecision.Run).ShouldAllBe(stage => stage.Seconds > 0 && stage.DiskBytes > 0);
        SmallRun.Run(folder, Traces);
        Plan().Seconds.ShouldBe(0);
        var records = WorkRates.Open(Path.Combine(folder.Path, ".store")).Records.ToDictionary(record => record.Stage);
        records.Keys.ShouldBe(["problems/train", "traces", "curated", "sft"], ignoreOrder: true);

        // Twice the problems of another seed: nothing is finished, everything was measured.
        var after = Plan("problems.train=96", "seed=4");
        after.Basis.ShouldBe("measured");
        foreach (var stage in after.Stages.Where(stage => stage.Decision is StageDecision.Run or StageDecision.Depends))
        {
            var record = records[stage.Name];
            stage.Seconds!.Value.ShouldBe(record.Seconds * 2, 0.1 * record.Seconds + 2e-3, stage.Name);
        }

        var traces = after.Stages.Single(stage => stage.Name == "traces");
        traces.Rows.ShouldBe(96);
        traces.Tokens.ShouldBe(2 * records["traces"].Tokens);
        traces.PromptTokens.ShouldBe(2 * records["traces"].PromptTokens);
        traces.MostTokens.ShouldBe(96 * 96);
        traces.DiskBytes.ShouldBe(2 * records["traces"].Bytes);
        var sft = after.Stages.Single(stage => stage.Name == "sft");
        sft.Rows.ShouldBe(2 * records["sft"].Rows); // as large a share of the traces is kept
        sft.DiskBytes.ShouldBe(records["sft"].Bytes); // a checkpoint is as large as before
    }

    [Fact]
    public void Another_setting_is_similar_work_and_said_to_be()
    {
        SmallRun.Run(folder, new RunOptions { Until = "traces" });
        var plan = Plan("teacher.slots=8", "seed=4");
        plan.Stages.Single(stage => stage.Name == "traces").Basis.ShouldBe("similar");
    }

    [Fact]
    public void Another_recipe_is_similar_work_too()
    {
        SmallRun.Run(folder, new RunOptions { Until = "traces" });
        string[] changed = ["seed=4", "name=other"];
        Plan(changed).Stages.Single(stage => stage.Name == "traces").Basis.ShouldBe("similar");
        SmallRun.Run(folder, new RunOptions { Until = "traces" }, "seed=5", "name=other", "teacher.max_tokens=16");
        var traces = Plan(changed).Stages.Single(stage => stage.Name == "traces");
        traces.Basis.ShouldBe("measured");
        traces.Tokens!.Value.ShouldBeLessThanOrEqualTo(48 * 16); // as long as this recipe's were
    }

    [Fact]
    public void A_clock_that_jumps_changes_no_measured_time()
    {
        var clock = new JumpingClock();
        PipelineRun.Run(SmallRun.Parse(), new RunOptions { RunsFolder = folder.Path, Until = "traces" }, new RecordingObserver(), clock,
            TestContext.Current.CancellationToken);
        clock.Jumps.ShouldBeGreaterThan(3);
        var records = WorkRates.Open(Path.Combine(folder.Path, ".store")).Records;
        records.ShouldNotBeEmpty();
        records.ShouldAllBe(record => record.Seconds >= 0 && record.Seconds < 600); // it jumps by days
    }

    [Fact]
    public void A_run_that_the_disk_cannot_hold_is_refused_before_any_work()
    {
        var options = new RunOptions { RunsFolder = folder["runs"], FreeDisk = _ => 10_000 };
        var refusal = Should.Throw<RunRefusedException>(() => PipelineRun.Run(
            SmallRun.Parse(), options, new RecordingObserver(), TimeProvider.System, TestContext.Current.CancellationToken));
        refusal.Message.ShouldContain("The disk is too small");
        refusal.Message.ShouldContain("--runs");
        refusal.IsOfMachine.ShouldBeTrue();
        Directory.Exists(folder["runs/small"]).ShouldBeFalse();
        PipelineRun.Plan(SmallRun.Parse(), options).Lacks.ShouldHaveSingleItem();
        PipelineRun.Plan(SmallRun.Parse(), options with { FreeDisk = _ => 1L << 40 }).Lacks.ShouldBeEmpty();
    }

    [Fact]
    public void What_an_earlier_process_wrote_needs_no_room_again()
    {
        long before = Plan().Stages[0].DiskBytes!.Value, whole = Plan().DiskBytes;
        var stage = StageGraph.For(SmallRun.Parse()).Stages[0];
        var key = StageKey.Of(stage.Declaration, new Dictionary<string, StageInput>());
        var store = new ArtifactStore(Path.Combine(folder.Path, ".store"), TimeProvider.System);
        string work = store.WorkFolder(FinishedStages.KeyOf(stage, key));
        Directory.CreateDirectory(Path.Combine(work, "data"));
        File.WriteAllBytes(Path.Combine(work, "data", "unfinished.parquet"), new byte[1_000]);
        var plan = Plan();
        plan.Stages[0].Reason.ShouldStartWith("continues");
        plan.Stages[0].DiskBytes.ShouldBe(before - 1_000);
        plan.DiskBytes.ShouldBe(whole - 1_000);
    }

    [Fact]
    public void A_first_estimate_of_the_disk_refuses_nothing()
    {
        var stage = new PlannedStage("traces", StageDecision.Run, "", "") { DiskBytes = 100_000 };
        var plan = new RunPlan("r", "/r", [stage]) { FreeDiskBytes = 50_000 };
        plan.Lacks.ShouldBeEmpty();
        PlanLimits.Doubts(plan).ShouldHaveSingleItem().ShouldContain("may be too small: by a first estimate");
        plan = plan with { Stages = [stage with { IsDiskKnown = true }] };
        plan.Lacks.ShouldHaveSingleItem().ShouldContain("The disk is too small");
        PlanLimits.Doubts(plan).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("int4", 1_000_000 * 4, 4_500_000)] // what int4 took says nothing of fp32
    [InlineData("fp32", 3_900_000, 3_900_000)]
    public void An_export_is_as_large_as_its_numbers(string measured, long least, long most)
    {
        var stage = new ExportStage(SmallRun.Parse(), "sft");
        var record = WorkRatesTests.Record(stage.Declaration.Name, 1_000_000, 2) with
        {
            Recipe = "small", Kind = WorkKind.Export, Setting = measured, Rows = 1, Bytes = measured == "int4" ? 900_000 : 3_900_000,
        };
        var forecaster = new Forecaster(
            "small", [record], new FirstEstimate(TimeProvider.System), _ => new WorkingModel(record.Model, 1_000_000));
        var forecast = forecaster.Predict(stage).ShouldNotBeNull();
        forecast.Bytes.ShouldBeInRange(least, most);
        forecast.AreBytesKnown.ShouldBeTrue();
    }

    [Fact]
    public void A_stage_that_the_memory_cannot_hold_is_named()
    {
        var plan = new RunPlan("r", "/r",
        [
            new("traces", StageDecision.Run, "", "", MemoryBytes: 33L << 30), new("sft", StageDecision.Depends, "", "", 31L << 30),
        ]) { MemoryLimitBytes = 32L << 30 };
        plan.Lacks.ShouldHaveSingleItem().ShouldContain("'traces' takes up to 33.0 GiB, and the process may have 32.0 GiB");
        (plan with { MemoryLimitBytes = 34L << 30 }).Lacks.ShouldBeEmpty();
    }

    [Fact]
    public void The_table_fits_a_terminal_and_machines_get_everything()
    {
        string recipe = folder.File("recipe.yaml", SmallRun.Text);
        var plan = CommandLineRun.Of("plan", recipe, "--runs", folder["runs"]);
        plan.Code.ShouldBe(0, plan.Error);
        string[] numbers = [.. plan.Out.Split('\n').Skip(1).TakeWhile(line => line.Length > 0)];
        numbers.Length.ShouldBeGreaterThan(15);
        numbers.ShouldAllBe(line => line.Length <= 80);
        numbers[^1].ShouldStartWith("all ");
        var json = CommandLineRun.Of("plan", recipe, "--runs", folder["runs"], "--json").Json();
        json.GetProperty("basis").GetString().ShouldBe("estimated");
        json.GetProperty("diskBytes").GetInt64().ShouldBeGreaterThan(0);
        json.GetProperty("lacks").GetArrayLength().ShouldBe(0);
        var traces = json.GetProperty("stages").EnumerateArray().Single(stage => stage.GetProperty("name").GetString() == "traces");
        traces.GetProperty("mostTokens").GetInt64().ShouldBe(48 * 96);
        traces.GetProperty("seconds").GetDouble().ShouldBeGreaterThan(0);
    }

    private RunPlan Plan(params string[] overrides) =>
        PipelineRun.Plan(SmallRun.Parse(overrides), Traces with { RunsFolder = folder.Path });

    /// <summary>A wall clock that is set forward or back by days whenever it is looked at; time itself goes on.</summary>
    private sealed class JumpingClock : TimeProvider
    {
        public int Jumps { get; private set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddDays(Jumps++ % 2 == 0 ? 40 : -40);
    }
}
