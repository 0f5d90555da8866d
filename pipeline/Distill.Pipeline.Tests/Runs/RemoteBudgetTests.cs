using Distill.Pipeline.Stages.Data;
using Distill.Pipeline.Tests.CommandLine;
using Distill.Pipeline.Tests.Testing;
using Distill.Storage;
using Distill.Teacher.Remote.Tests.Servers;

namespace Distill.Pipeline.Tests.Runs;

/// <summary>Budgets and the preflight of an endpoint, by the command line: nothing is paid beyond them, and nothing twice.</summary>
public sealed class RemoteBudgetTests : IDisposable
{
    private const string Variable = "DISTILL_TEST_REMOTE_BUDGET_KEY";

    private readonly TemporaryFolder folder = new();

    public RemoteBudgetTests() => Environment.SetEnvironmentVariable(Variable, Answers.Key);

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_cost_ends_the_asking_and_a_larger_one_goes_on()
    {
        await using var server = await ChatServer.StartAsync(Answers.Streamed("12", "5 + 7 = 12"));
        var cut = Generate(server, "--set", "traces.max_cost=0.003");
        cut.Code.ShouldBe(0, cut.Error);
        cut.Error.ShouldContain("cut off by traces.max_cost");
        int paid = server.Calls.Count;
        paid.ShouldBeInRange(1, 47);
        var traces = Artifact.Open(Path.Combine(folder.Path, "small-data", "2-traces"));
        var report = SamplingReport.Read(traces).ShouldNotBeNull();
        (report.Traces, report.CutOffBy).ShouldBe((paid, "traces.max_cost"));
        report.Unfinished.ShouldBe(48 - paid);
        Generate(server, "--set", "traces.max_cost=0.003").Code.ShouldBe(0);
        server.Calls.Count.ShouldBe(paid);
        Generate(server, "--set", "traces.max_cost=5").Code.ShouldBe(0);
        server.Calls.Count.ShouldBe(48);
    }

    [Fact]
    public async Task A_preflight_that_fails_has_paid_for_itself_alone_and_what_it_paid_is_the_runs()
    {
        await using var server = await ChatServer.StartAsync(Answers.Streamed("no number"));
        string[] preflight = ["--set", "traces.preflight.problems=16", "--set", "traces.preflight.max_cost=1"];
        var failed = Generate(server, preflight);
        failed.Code.ShouldBe(3);
        failed.Error.ShouldContain("traces.preflight.min_correct wants 5 %");
        string message = failed.Error[failed.Error.IndexOf("error:", StringComparison.Ordinal)..];
        message.Split('\n').ShouldAllBe(line => line.Length <= 80, message);
        server.Calls.Count.ShouldBe(16);
        string[] loosened = ["--set", "traces.preflight.min_correct=0", "--set", "traces.preflight.max_undecidable=1"];
        var loose = Generate(server, [.. preflight, .. loosened]);
        loose.Error.ShouldContain("No trace is fit to train on");
        server.Calls.Count.ShouldBe(48);
    }

    [Fact]
    public async Task A_preflight_pays_no_more_than_the_run_may_and_none_at_all_is_said()
    {
        await using var server = await ChatServer.StartAsync(Answers.Streamed("12", "5 + 7 = 12"));
        string[] preflight = ["--set", "traces.preflight={ problems: 16, min_correct: 0.9 }"];
        var some = Generate(server, [.. preflight, "--set", "traces.max_tokens_total=140"]);
        some.Code.ShouldBe(3, some.Error);
        server.Calls.Count.ShouldBeInRange(2, 15);
        some.Error.ShouldContain($"traces.max_tokens_total allows {server.Calls.Count} of 16 completions");
        int paid = server.Calls.Count;
        var none = Generate(server, [.. preflight, "--set", "traces.max_cost=0.0001"]);
        none.Code.ShouldBe(3, none.Error);
        none.Error.ShouldContain("could not begin a single completion");
        none.Error.ShouldContain("Raise traces.max_cost");
        server.Calls.Count.ShouldBe(paid);
    }

    private CommandLineRun Generate(ChatServer server, params string[] options) =>
        CommandLineRun.Of(["generate", folder.File("remote.yaml", Text(server)), "--runs", folder.Path, .. options]);

    private static string Text(ChatServer server) => SmallRun.Text.Replace(
        $"{{ model: {RepositoryFolder.Root}/teacher/models/tiny-reasoner, samples: 1, max_tokens: 96, slots: 16 }}",
        $"{{ endpoint: '{server.Address}', network: loopback, model: thinker, api_key_env: {Variable}, samples: 1, "
            + "max_tokens: 96, concurrency: 4, prompt_price: 1, completion_price: 10 }",
        StringComparison.Ordinal);
}
