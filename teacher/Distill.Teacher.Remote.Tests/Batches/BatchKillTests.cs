using Distill.Teacher.Remote.Tests.Servers;

namespace Distill.Teacher.Remote.Tests.Batches;

/// <summary>Whatever dies at whatever call, every request is answered and none is paid for twice.</summary>
public sealed class BatchKillTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("openai", nameof(Break.Before))]
    [InlineData("openai", nameof(Break.After))]
    [InlineData("openai", nameof(Break.PageAfter))]
    [InlineData("openai", nameof(Break.Half))]
    [InlineData("anthropic", nameof(Break.Before))]
    [InlineData("anthropic", nameof(Break.After))]
    [InlineData("anthropic", nameof(Break.PageAfter))]
    [InlineData("anthropic", nameof(Break.Half))]
    public async Task A_kill_at_every_call_costs_no_second_batch(string dialect, string how)
    {
        var kind = Enum.Parse<Break>(how);
        int call = 0;
        for (bool wasKilled = true; wasKilled; call++)
        {
            await using var server = await BatchServer.StartAsync();
            int at = call;
            server.Breaks = (number, _) => number == at ? kind : Break.None;
            string place = folder.File($"{call}");
            var run = new BatchRun(server, dialect, place) { Retries = 0, MostRequests = 4 };
            wasKilled = await IsKilledAsync(run);
            server.Breaks = (_, _) => Break.None;
            var next = new BatchRun(server, dialect, place) { MostRequests = 4 };
            (await next.CollectAsync()).ShouldAllBe(trace => trace.Answer!.StartsWith("answer to"));
            foreach (string id in next.Ids) server.PaidOf(id).ShouldBe(1, $"call {call} {how}");
            server.Batches.Count.ShouldBe(2, $"call {call} {how}");
            (run.Usage.CompletionTokens + next.Usage.CompletionTokens).ShouldBe(6 * 7);
        }

        call.ShouldBeGreaterThan(6);
    }

    [Theory]
    [InlineData("openai")]
    [InlineData("anthropic")]
    public async Task A_run_that_dies_again_and_again_still_pays_once(string dialect)
    {
        await using var server = await BatchServer.StartAsync();
        var random = new Random(5);
        Break[] kinds = [Break.Before, Break.After, Break.Half, Break.PageAfter];
        server.Breaks = (_, _) => random.NextDouble() < 0.3 ? kinds[random.Next(kinds.Length)] : Break.None;
        int runs = 0;
        while (await IsKilledAsync(new BatchRun(server, dialect, folder.Path) { Retries = 0, MostRequests = 4 }))
            (++runs).ShouldBeLessThan(60);
        foreach (string id in new BatchRun(server, dialect, folder.Path).Ids) server.PaidOf(id).ShouldBe(1);
        runs.ShouldBeGreaterThan(2);
    }

    [Theory]
    [InlineData("openai")]
    [InlineData("anthropic")]
    public async Task Passing_faults_are_waited_out_within_one_run(string dialect)
    {
        await using var server = await BatchServer.StartAsync();
        server.Breaks = (number, _) => (number % 4) switch { 1 => Break.Page, 2 => Break.Half, _ => Break.None };
        (await new BatchRun(server, dialect, folder.Path) { Retries = 6 }.CollectAsync()).Count.ShouldBe(6);
        server.Batches.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Batches_of_the_same_size_that_others_submitted_are_not_taken_for_ours()
    {
        await using var server = await BatchServer.StartAsync();
        server.Add("", [.. Enumerable.Range(0, 6).Select(i => ($"other-{i}", new System.Text.Json.Nodes.JsonObject()))]);
        server.Breaks = (number, _) => number == 0 ? Break.Before : Break.None;
        (await IsKilledAsync(new BatchRun(server, "anthropic", folder.Path) { Retries = 0 })).ShouldBeTrue();
        var next = new BatchRun(server, "anthropic", folder.Path);
        (await next.CollectAsync()).Count.ShouldBe(6);
        server.Batches.Count.ShouldBe(2); // the other's and ours
        next.Warnings.ShouldContain(warning => warning.Contains("to know whose it is", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Cancelling_the_wait_leaves_the_batch_to_the_next_run()
    {
        await using var server = await BatchServer.StartAsync();
        using var end = new CancellationTokenSource();
        server.Breaks = (_, target) =>
        {
            if (target.StartsWith("GET /v1/batches/", StringComparison.Ordinal)) end.Cancel();
            return Break.None;
        };
        await Should.ThrowAsync<OperationCanceledException>(() => new BatchRun(server, "openai", folder.Path).CollectAsync(end.Token));
        server.Breaks = (_, _) => Break.None;
        (await new BatchRun(server, "openai", folder.Path).CollectAsync()).Count.ShouldBe(6);
        server.Batches.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_damaged_record_of_a_batch_stops_with_its_place_and_submits_nothing()
    {
        await using var server = await BatchServer.StartAsync();
        server.Breaks = (number, _) => number == 2 ? Break.Before : Break.None;
        (await IsKilledAsync(new BatchRun(server, "openai", folder.Path) { Retries = 0 })).ShouldBeTrue();
        string intent = Directory.EnumerateFiles(folder.Path, "intent.json", SearchOption.AllDirectories).Single();
        File.WriteAllText(intent, "{");
        var fault = await Should.ThrowAsync<InvalidDataException>(() => new BatchRun(server, "openai", folder.Path).CollectAsync());
        fault.Message.ShouldContain(intent);
        server.Batches.Count.ShouldBe(1);
    }

    private static async Task<bool> IsKilledAsync(BatchRun run)
    {
        try
        {
            await run.CollectAsync();
            return false;
        }
        catch (RemoteTeacherException)
        {
            return true;
        }
    }
}
