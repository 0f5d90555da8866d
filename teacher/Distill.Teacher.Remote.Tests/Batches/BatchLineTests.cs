using Distill.Teacher.Remote.Tests.Servers;

namespace Distill.Teacher.Remote.Tests.Batches;

/// <summary>Every line of a batch is accounted for: answered, refused, asked again.</summary>
public sealed class BatchLineTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("openai")]
    [InlineData("anthropic")]
    public async Task Rows_are_those_of_single_requests(string dialect)
    {
        await using var server = await BatchServer.StartAsync();
        var run = new BatchRun(server, dialect, folder.Path) { Samples = 2 };
        var traces = await run.CollectAsync();
        traces.Count.ShouldBe(12);
        foreach (var (trace, id) in traces.Zip(run.Ids))
            (trace.Answer, trace.Reasoning, trace.StopReason, trace.PromptTokens, trace.CompletionTokens)
                .ShouldBe(($"answer to {id[..4]}", "why", "stop", 11, 7));
        (run.Usage.Requests, run.Usage.PromptTokens, run.Usage.CompletionTokens, run.Usage.Uncounted)
            .ShouldBe((12L, 12 * 11L, 12 * 7L, 0L));
        run.Warnings.ShouldBeEmpty();
        int calls = server.Calls.Count;
        await new BatchRun(server, dialect, folder.Path) { Samples = 2 }.CollectAsync();
        server.Calls.Count.ShouldBe(calls);
    }

    [Theory]
    [InlineData("openai")]
    [InlineData("anthropic")]
    public async Task Requests_say_what_single_ones_say_and_carry_the_key_in_the_interfaces_header(string dialect)
    {
        await using var server = await BatchServer.StartAsync();
        await new BatchRun(server, dialect, folder.Path).CollectAsync();
        var body = server.Batches.Single().Requests[0].Body;
        (body["model"]!.GetValue<string>(), body["max_tokens"]!.GetValue<int>(), body.ContainsKey("stream"))
            .ShouldBe(("teacher-1", 64, false));
        if (dialect == "openai")
        {
            body["messages"]![0]!["role"]!.GetValue<string>().ShouldBe("system");
            body.ContainsKey("seed").ShouldBeTrue();
            server.Headers.ShouldAllBe(headers => headers["authorization"] == "Bearer " + Answers.Key);
        }
        else
        {
            body["system"]!.GetValue<string>().ShouldBe("Be brief.");
            body["messages"]!.AsArray().Count.ShouldBe(1);
            (body.ContainsKey("seed") || body.ContainsKey("top_p")).ShouldBeFalse();
            server.Headers.ShouldAllBe(headers => headers["x-api-key"] == Answers.Key && headers["anthropic-version"] == "2023-06-01");
        }

        foreach (string file in Directory.EnumerateFiles(folder.Path, "*", SearchOption.AllDirectories))
        {
            string text = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
            text.Contains(Answers.Key, StringComparison.Ordinal).ShouldBeFalse(file);
            text.Contains(BatchRun.Problems[0].Text, StringComparison.Ordinal).ShouldBeFalse(file);
        }
    }

    [Theory]
    [InlineData("openai", nameof(LineEnd.Failed))]
    [InlineData("openai", nameof(LineEnd.Expired))]
    [InlineData("openai", nameof(LineEnd.Lost))]
    [InlineData("openai", nameof(LineEnd.Garbled))]
    [InlineData("anthropic", nameof(LineEnd.Failed))]
    [InlineData("anthropic", nameof(LineEnd.Expired))]
    [InlineData("anthropic", nameof(LineEnd.Lost))]
    [InlineData("anthropic", nameof(LineEnd.Garbled))]
    public async Task What_failed_expired_or_is_missing_is_asked_again_and_nothing_else(string dialect, string how)
    {
        await using var server = await BatchServer.StartAsync();
        var run = new BatchRun(server, dialect, folder.Path);
        string[] bad = [run.Ids[1], run.Ids[4]];
        server.Ends = (id, batch) => batch == 0 && bad.Contains(id) ? Enum.Parse<LineEnd>(how) : LineEnd.Answered;
        (await run.CollectAsync()).ShouldAllBe(trace => trace.Answer!.StartsWith("answer to"));
        server.Batches.Select(batch => batch.Requests.Count).ShouldBe([6, 2]);
        server.Batches[1].Requests.Select(request => request.Id).ShouldBe(bad, ignoreOrder: true);
        run.Warnings.ShouldContain(warning => warning.Contains("2 of 6 requests have no answer", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("openai")]
    [InlineData("anthropic")]
    public async Task Lines_that_fail_again_and_again_stop_with_the_reason_and_the_others_are_kept(string dialect)
    {
        await using var server = await BatchServer.StartAsync();
        var run = new BatchRun(server, dialect, folder.Path);
        server.Ends = (id, _) => id == run.Ids[2] ? LineEnd.Failed : LineEnd.Answered;
        var fault = await Should.ThrowAsync<RemoteTeacherException>(() => run.CollectAsync());
        fault.Message.ShouldContain("After 3 batches 1 of 6 requests have no answer");
        fault.Message.ShouldContain("sorry");
        run.Stored.ShouldBe(5);
    }

    [Theory]
    [InlineData("openai")]
    [InlineData("anthropic")]
    public async Task A_refused_line_is_dropped_with_its_reason_and_never_asked_again(string dialect)
    {
        await using var server = await BatchServer.StartAsync();
        var run = new BatchRun(server, dialect, folder.Path);
        server.Ends = (id, _) => id == run.Ids[2] ? LineEnd.Refused : id == run.Ids[3] ? LineEnd.Filtered : LineEnd.Answered;
        var traces = await run.CollectAsync();
        (traces[2].StopReason, traces[2].Answer, traces[3].StopReason).ShouldBe(("rejected", null, "content_filter"));
        traces[2].Refusal.ShouldNotBeNull().ShouldContain("no such questions");
        int calls = server.Calls.Count;
        (await new BatchRun(server, dialect, folder.Path).CollectAsync())[2].Refusal.ShouldBe(traces[2].Refusal);
        server.Calls.Count.ShouldBe(calls);
    }

    [Fact]
    public async Task A_batch_of_which_every_line_is_refused_stops_and_may_be_submitted_again()
    {
        await using var server = await BatchServer.StartAsync();
        server.Ends = (_, batch) => batch == 0 ? LineEnd.Refused : LineEnd.Answered;
        (await Should.ThrowAsync<RemoteTeacherException>(() => new BatchRun(server, "openai", folder.Path).CollectAsync()))
            .Message.ShouldContain("no such questions");
        (await new BatchRun(server, "openai", folder.Path).CollectAsync()).Count(trace => trace.Answer is not null).ShouldBe(6);
    }

    [Theory]
    [InlineData("openai")]
    [InlineData("anthropic")]
    public async Task Second_lines_and_foreign_ones_are_counted_and_change_nothing(string dialect)
    {
        await using var server = await BatchServer.StartAsync();
        var run = new BatchRun(server, dialect, folder.Path);
        server.ForeignLines = 2;
        server.Ends = (id, _) => id == run.Ids[0] ? LineEnd.Twice : LineEnd.Answered;
        (await run.CollectAsync())[0].Answer.ShouldBe($"answer to {run.Ids[0][..4]}");
        run.Usage.CompletionTokens.ShouldBe(6 * 7);
        // OpenAI has a second file, with foreign lines of its own.
        run.Warnings.ShouldHaveSingleItem().ShouldContain($"{(dialect == "openai" ? 4 : 2)} lines of unknown requests, 1 second lines");
        Directory.EnumerateFiles(folder.Path, "*nobody*", SearchOption.AllDirectories).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("openai")]
    [InlineData("anthropic")]
    public async Task A_cancelled_batch_stops_keeps_what_it_answered_and_the_next_run_submits_the_rest(string dialect)
    {
        await using var server = await BatchServer.StartAsync();
        var run = new BatchRun(server, dialect, folder.Path);
        server.IsCancelled = true;
        server.Ends = (id, batch) => batch == 0 && id != run.Ids[0] ? LineEnd.Cancelled : LineEnd.Answered;
        (await Should.ThrowAsync<RemoteTeacherException>(() => run.CollectAsync())).Message.ShouldContain("cancelled; 1 answers are kept");
        server.IsCancelled = false;
        (await new BatchRun(server, dialect, folder.Path).CollectAsync()).Count.ShouldBe(6);
        server.Batches.Select(batch => batch.Requests.Count).ShouldBe([6, 5]);
    }

    [Fact]
    public async Task A_batch_that_is_not_accepted_says_why()
    {
        await using var server = await BatchServer.StartAsync();
        server.Rejection = ("invalid_model", "The model `teacher-1` does not exist");
        (await Should.ThrowAsync<RemoteTeacherException>(() => new BatchRun(server, "openai", folder.Path).CollectAsync()))
            .Message.ShouldContain("did not accept the batch. It says: The model");
        server.Batches.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Too_many_tokens_waiting_are_submitted_again_and_then_named()
    {
        await using var server = await BatchServer.StartAsync();
        server.Rejection = ("token_limit_exceeded", "Enqueued token limit reached");
        (await Should.ThrowAsync<RemoteTeacherException>(() => new BatchRun(server, "openai", folder.Path).CollectAsync()))
            .Message.ShouldContain("Lower batch_size");
        server.Batches.Count.ShouldBe(3);
    }

    [Theory]
    [InlineData("openai")]
    [InlineData("anthropic")]
    public async Task A_large_collection_is_cut_into_batches(string dialect)
    {
        await using var server = await BatchServer.StartAsync();
        (await new BatchRun(server, dialect, folder.Path) { MostRequests = 4 }.CollectAsync()).Count.ShouldBe(6);
        server.Batches.Select(batch => batch.Requests.Count).ShouldBe([4, 2]);
    }

    [Fact]
    public async Task A_batch_that_never_ends_is_given_up_after_two_days_and_not_submitted_again()
    {
        await using var server = await BatchServer.StartAsync();
        server.LooksToEnd = int.MaxValue;
        (await Should.ThrowAsync<RemoteTeacherException>(() => new BatchRun(server, "openai", folder.Path).CollectAsync()))
            .Message.ShouldContain("48 h");
        server.LooksToEnd = 0;
        (await new BatchRun(server, "openai", folder.Path).CollectAsync()).Count.ShouldBe(6);
        server.Batches.Count.ShouldBe(1);
    }
}
