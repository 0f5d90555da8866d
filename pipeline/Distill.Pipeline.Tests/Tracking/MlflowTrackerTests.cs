using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.CommandLine;
using Distill.Pipeline.Tests.Testing;
using Distill.Pipeline.Tracking;

namespace Distill.Pipeline.Tests.Tracking;

/// <summary>What MLflow is told of a run, once, however often it is told; and what happens when it is not there.</summary>
public sealed class MlflowTrackerTests : IDisposable
{
    private readonly TemporaryFolder folder = SampleRecipe.Folder();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_run_is_there_with_parameters_measurements_artefacts_and_its_end()
    {
        await using var server = await MlflowServer.Start();
        var run = SampleTracked.Run(folder);
        Track(server, run).ShouldBe(SampleTracked.Points);
        server.Experiments.Keys.ShouldBe(["mine"]);
        var served = server.Runs.Values.ShouldHaveSingleItem();
        (served.Name, served.Status, served.Tags["distill.artefact.sft"]).ShouldBe(("sample", "FINISHED", "abc"));
        served.Parameters["sft.learning_rate"].ShouldBe("0.01");
        served.Parameters["teacher.model"].ShouldBe("teacher"); // the folder that it lies in is nobody's business
        served.Parameters.Values.ShouldNotContain(value => value.Contains(folder.Path, StringComparison.Ordinal));
        served.Metrics.Where(metric => metric.Key == "sft/loss").Select(metric => (metric.Step, metric.Value))
            .ShouldBe([(1, 1.0), (2, 0.5), (3, 1.0 / 3), (4, 0.25)], ignoreOrder: true);
        served.Metrics.ShouldContain(metric => metric.Key == "rl/reward" && metric.Step == 1);
        served.Metrics.ShouldNotContain(metric => metric.Key.EndsWith("/bad", StringComparison.Ordinal)); // no number
    }

    [Fact]
    public async Task A_continued_run_goes_on_there_and_one_with_other_parameters_is_another()
    {
        await using var server = await MlflowServer.Start();
        var run = SampleTracked.Run(folder, RunProgress.Stopped);
        Track(server, run);
        server.Runs.Values.Single().Status.ShouldBe("KILLED");
        using (var metrics = new RunMetrics(run.MetricsPath, TimeProvider.System))
            metrics.Add("rl", 2, new Dictionary<string, double> { ["reward"] = 0.5 });
        SampleTracked.SetState(run, RunProgress.Finished);
        Track(server, run).ShouldBe(1); // what it has is not sent again
        var served = server.Runs.Values.ShouldHaveSingleItem();
        served.Status.ShouldBe("FINISHED");
        served.Metrics.Count(metric => metric.Key == "rl/reward").ShouldBe(2);

        Track(server, run, "seed: 8").ShouldBe(SampleTracked.Points + 1);
        server.Runs.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Keys_that_it_would_refuse_are_spelled_so_that_it_does_not()
    {
        await using var server = await MlflowServer.Start();
        var run = SampleTracked.Run(folder);
        using (var metrics = new RunMetrics(run.MetricsPath, TimeProvider.System))
            metrics.Add("rl", 3, new Dictionary<string, double> { ["reward: länge?"] = 1, [new string('x', 400)] = 2 });
        Track(server, run).ShouldBe(SampleTracked.Points + 1);
        server.Runs.Values.Single().Metrics.ShouldContain(metric => metric.Key == "rl/reward__l_nge_");
    }

    [Fact]
    public async Task One_that_was_made_and_whose_parameters_were_refused_is_found_again_and_gets_them()
    {
        await using var server = await MlflowServer.Start();
        var run = SampleTracked.Run(folder);
        (server.Failing, server.FailingPath) = (503, "runs/log-batch");
        for (int attempt = 0; attempt < 3; attempt++) Should.Throw<IOException>(() => Track(server, run));
        server.Failing = null;
        Track(server, run).ShouldBe(SampleTracked.Points);
        server.Runs.Values.ShouldHaveSingleItem().Parameters["sft.learning_rate"].ShouldBe("0.01");
    }

    [Fact]
    public async Task A_run_that_was_removed_there_is_made_anew()
    {
        await using var server = await MlflowServer.Start();
        var run = SampleTracked.Run(folder);
        Track(server, run);
        server.Runs.Clear();
        Track(server, run).ShouldBe(SampleTracked.Points);
    }

    [Theory]
    [InlineData(RunProgress.Failed, null, "FAILED")]
    [InlineData(RunProgress.Finished, "Refused", "FAILED")]
    [InlineData(RunProgress.Stopped, null, "KILLED")]
    internal async Task Its_end_is_the_one_of_the_run(RunProgress progress, string? verdict, string status)
    {
        await using var server = await MlflowServer.Start();
        var run = SampleTracked.Run(folder);
        SampleTracked.SetState(run, progress, verdict is null ? null : Enum.Parse<RunVerdict>(verdict));
        Track(server, run);
        server.Runs.Values.Single().Status.ShouldBe(status);
    }

    [Fact]
    public async Task While_it_is_down_a_run_goes_on_says_so_once_and_the_command_brings_the_rest()
    {
        await using var server = await MlflowServer.Start();
        server.Failing = 503;
        var run = SampleTracked.Run(folder, RunProgress.Running);
        var observer = new RecordingObserver();
        using (RunTracking.Begin(Recipe(server), run, observer, TimeProvider.System)) SampleTracked.SetState(run, RunProgress.Finished);
        observer.Warnings.ShouldHaveSingleItem().ShouldBe(
            "MLflow did not get all of this run (it answered 503 to experiments/get-by-name); "
            + "when it can be reached again, 'distill runs track' brings the rest.");
        Should.Throw<IOException>(() => Track(server, run)).Message.ShouldContain("503");

        server.Failing = null;
        run.WriteRecipe(Recipe(server));
        var command = CommandLineRun.Of("runs", "track", run.Path, "--json");
        command.Code.ShouldBe(0, command.Error);
        command.Json().GetProperty("given").GetProperty("MLflow").GetInt32().ShouldBe(SampleTracked.Points);
        server.Runs.Values.ShouldHaveSingleItem().Status.ShouldBe("FINISHED");
    }

    [Fact]
    public async Task One_that_never_answers_keeps_a_run_that_is_stopped_no_longer_than_a_moment()
    {
        using var silent = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        silent.Start(); // takes connections and says nothing
        var run = SampleTracked.Run(folder, RunProgress.Running);
        var observer = new RecordingObserver();
        var recipe = SampleTracked.Recipe(folder, $"tracking: {{ mlflow: 'http://{silent.LocalEndpoint}' }}");
        await Task.Run(() =>
        {
            using (RunTracking.Begin(recipe, run, observer, TimeProvider.System)) SampleTracked.SetState(run, RunProgress.Stopped);
        }, TestContext.Current.CancellationToken);
        observer.Warnings.ShouldHaveSingleItem().ShouldContain("(it is slow)");
    }

    [Fact]
    public async Task A_run_that_is_at_work_is_told_of_by_itself_alone()
    {
        await using var server = await MlflowServer.Start();
        var run = SampleTracked.Run(folder, RunProgress.Running);
        using (run.Lock()) Should.Throw<RunRefusedException>(() => Track(server, run));
        server.Runs.ShouldBeEmpty();
    }

    [Fact]
    public void Nobody_there_at_all_is_said_at_the_end_too()
    {
        var run = SampleTracked.Run(folder, RunProgress.Running);
        var observer = new RecordingObserver();
        var recipe = SampleTracked.Recipe(folder, "tracking: { mlflow: 'http://127.0.0.1:9' }");
        using (RunTracking.Begin(recipe, run, observer, TimeProvider.System)) SampleTracked.SetState(run, RunProgress.Finished);
        observer.Warnings.ShouldHaveSingleItem().ShouldStartWith("MLflow did not get all of this run (");
    }

    [Fact]
    public void Nothing_is_told_to_anybody_who_was_not_named()
    {
        TrackerChoice.Of(SampleTracked.Recipe(folder), _ => null).Names.ShouldBeEmpty();
        TrackerChoice.Of(SampleTracked.Recipe(folder), Variable("MLFLOW_TRACKING_URI", "http://there:5000")).Names.ShouldBe(["MLflow"]);
        TrackerChoice.Of(SampleTracked.Recipe(folder), Variable("MLFLOW_TRACKING_URI", "sqlite:///mlruns.db")).Faults
            .ShouldHaveSingleItem().ShouldContain("no address of a server");
        TrackerChoice.Of(SampleTracked.Recipe(folder), Variable("WANDB_MODE", "online")).Faults.ShouldHaveSingleItem();
        SampleRecipe.Problems(folder, SampleRecipe.Text + "\ntracking: { mlflow: 'http://me:hunter2@there' }")
            .ShouldHaveSingleItem().ToString().ShouldNotContain("hunter2");
    }

    private static Func<string, string?> Variable(string name, string value) => asked => asked == name ? value : null;

    private DistillationRecipe Recipe(MlflowServer server) =>
        SampleTracked.Recipe(folder, $"tracking: {{ mlflow: '{server.Address}', experiment: mine }}");

    private int Track(MlflowServer server, RunFolder run, string? change = null)
    {
        var recipe = Recipe(server);
        if (change is not null)
            recipe = SampleRecipe.Parse(folder, SampleRecipe.Text.Replace("seed: 7", change, StringComparison.Ordinal)
                + $"\ntracking: {{ mlflow: '{server.Address}', experiment: mine }}");
        return RunTracking.Track(recipe, run, TrackerChoice.Of(recipe, _ => null), TimeProvider.System).Values.Single();
    }
}
