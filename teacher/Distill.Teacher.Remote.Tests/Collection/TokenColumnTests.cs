using System.Globalization;
using System.Text.Json.Nodes;
using Distill.Data.Problems;
using Distill.Data.Traces;
using Distill.Teacher.Remote.Calls;
using Distill.Teacher.Remote.Collection;
using Distill.Teacher.Remote.Endpoint;
using Distill.Teacher.Remote.Tests.Servers;
using Distill.Tokenization;
using Distill.Tokenization.Training;
using Microsoft.AspNetCore.Http;

namespace Distill.Teacher.Remote.Tests.Collection;

/// <summary>Token ids and log-probabilities of a server of vLLM, checked against the text and kept with it.</summary>
public sealed class TokenColumnTests : IDisposable
{
    private const string Text = "<think>5 + 7</think>12";

    private static readonly IReadOnlyList<Problem> Problems = ProblemSet.Generate(
        [new ProblemSetPart("arithmetic", 1, 1)], 5, Split.Train, 4);

    private static readonly Tokenizer Own = Make("5 + 7 = 12 and 5 + 7 = 12 again"), Other = Make("seven swans swim southwards");

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Columns_hold_the_servers_tokens_and_the_best_alternatives_first(bool streams)
    {
        await using var server = await ChatServer.StartAsync(Scored(streams));
        var trace = (await CollectAsync(server, Own, streams: streams))[0];
        int[] ids = [.. Own.Encode(Text, allowSpecial: true), Own.EndToken!.Value];
        (trace.Reasoning, trace.Answer, trace.StopReason).ShouldBe(("5 + 7", "12", "stop"));
        trace.TokenizerFingerprint.ShouldBe(Own.Fingerprint);
        trace.TokenIds.ShouldBe(ids);
        trace.TokenLogProbabilities.ShouldBe(ids.Select(_ => -2.5f));
        trace.TopIds.Take(2).ShouldBe([11, 12]); // the sampled token was the third best, and only came first
        trace.TopIds.Count.ShouldBe(ids.Length * 2);
        trace.TopLogProbabilities.Take(2).ShouldBe([-0.5f, -1.25f]);
        string path = Path.Combine(folder.Path, "part.parquet");
        TraceFile.Write(path, [trace]);
        TraceFile.Read(path).Single().TopLogProbabilities.ShouldBe(trace.TopLogProbabilities);
    }

    [Fact]
    public async Task The_request_asks_for_one_alternative_more_and_for_ids()
    {
        await using var server = await ChatServer.StartAsync(Scored(streams: true));
        await CollectAsync(server, Own);
        var body = server.Calls[0].Body;
        (body["logprobs"]!.GetValue<bool>(), body["top_logprobs"]!.GetValue<int>(), body["return_token_ids"]!.GetValue<bool>(),
            body["return_tokens_as_token_ids"]!.GetValue<bool>()).ShouldBe((true, 3, true, true));
    }

    [Fact]
    public async Task What_was_paid_for_is_found_again_with_its_tokens()
    {
        await using var server = await ChatServer.StartAsync(Scored(streams: true));
        var first = await CollectAsync(server, Own);
        int calls = server.Calls.Count;
        var second = await CollectAsync(server, Own);
        server.Calls.Count.ShouldBe(calls);
        second.Select(trace => trace.TopLogProbabilities).ShouldBe(first.Select(trace => trace.TopLogProbabilities));
    }

    [Fact]
    public async Task Another_tokenizer_is_refused_and_costs_nothing_once_the_right_one_is_given()
    {
        await using var server = await ChatServer.StartAsync(Scored(streams: true));
        var fault = await Should.ThrowAsync<RemoteTeacherException>(() => CollectAsync(server, Other));
        fault.Message.ShouldContain("The tokenizer is not the teacher's");
        int calls = server.Calls.Count;
        (await CollectAsync(server, Own)).Count.ShouldBe(4);
        server.Calls.Count.ShouldBe(4);
        calls.ShouldBeLessThan(4);
    }

    [Theory]
    [InlineData("none")]
    [InlineData("names")]
    [InlineData("disagree")]
    [InlineData("few")]
    [InlineData("short")]
    public async Task A_server_without_whole_token_columns_stops_with_the_option_and_keeps_the_text(string damage)
    {
        await using var server = await ChatServer.StartAsync(Scored(streams: false, damage));
        var fault = await Should.ThrowAsync<RemoteTeacherException>(() => CollectAsync(server, Own, streams: false));
        fault.Message.ShouldContain("Leave token_ids out");
        int calls = server.Calls.Count;
        calls.ShouldBe(1);
        (await CollectAsync(server, null, streams: false)).ShouldAllBe(trace => trace.Answer == "12" && trace.TokenIds.Count == 0);
        server.Calls.Count.ShouldBe(4);
    }

    [Fact]
    public void Blanks_and_marks_that_a_reasoning_parser_takes_away_are_no_difference()
    {
        int[] ids = [.. Own.Encode("<think>\n5 + 7\n</think>\n\n12", allowSpecial: true), Own.EndToken!.Value];
        var tokens = new StoredTokens(
            System.Runtime.InteropServices.MemoryMarshal.AsBytes<int>(ids).ToArray(), [], [], []);
        TokenCheck.FaultOf(new StoredCompletion("5 + 7", "12", "stop", 1, 1), tokens, Own).ShouldBeNull();
        TokenCheck.FaultOf(new StoredCompletion("5 + 7", "13", "stop", 1, 1), tokens, Own).ShouldNotBeNull();
        TokenCheck.FaultOf(new StoredCompletion("5 + 7", "12", "stop", 1, 1), tokens with { Ids = [255, 255, 255, 127] }, Own)
            .ShouldNotBeNull().ShouldContain("2147483647");
    }

    private static Tokenizer Make(string corpus)
    {
        using var folder = new TemporaryFolder();
        BytePairTrainer.Train([corpus], new BytePairTrainerOptions { VocabularySize = 270 }).Save(folder.Path);
        return Tokenizer.Load(folder.Path);
    }

    // As vLLM answers: the sampled token first among the alternatives, the list cut behind it.
    private static Func<HttpContext, Task> Scored(bool streams, string damage = "")
    {
        int[] ids = [.. Own.Encode(Text, allowSpecial: true), Own.EndToken!.Value];
        var content = new JsonArray([.. ids.Select(id => Entry(id, damage))]);
        var choice = new JsonObject
        {
            [streams ? "delta" : "message"] = new JsonObject { ["content"] = Text },
            ["finish_reason"] = "stop",
            ["token_ids"] = new JsonArray([.. ids.Select((id, i) => (JsonNode)(damage == "disagree" && i == 3 ? id + 1 : id))]),
        };
        if (damage != "none") choice["logprobs"] = new JsonObject { ["content"] = content };
        var usage = new JsonObject { ["prompt_tokens"] = 3, ["completion_tokens"] = ids.Length + (damage == "short" ? 1 : 0) };
        string body = new JsonObject { ["choices"] = new JsonArray(choice), ["usage"] = usage }.ToJsonString();
        return streams ? Answers.Body($"data: {body}\n\ndata: [DONE]\n\n", "text/event-stream") : Answers.Json(body);
    }

    private static JsonNode Entry(int id, string damage)
    {
        var entry = Score(id, -2.5, damage);
        entry["top_logprobs"] = new JsonArray(
            [Score(id, -2.5, damage), .. damage == "few" ? [] : (JsonNode[])[Score(12, -1.25, damage), Score(11, -0.5, damage)]]);
        return entry;
    }

    private static JsonObject Score(int id, double score, string damage) => new()
    {
        ["token"] = damage == "names" ? "x" : string.Create(CultureInfo.InvariantCulture, $"token_id:{id}"), ["logprob"] = score,
    };

    private async Task<IReadOnlyList<Trace>> CollectAsync(ChatServer server, Tokenizer? tokenizer, bool streams = true)
    {
        using var plain = new CompatibleChatClient(
            TestClient.Options(server) with { Streams = streams, TokenAlternatives = tokenizer is null ? null : 2 }, TestClient.Key);
        using var client = new ResilientChatClient(plain, new CallOptions { Concurrency = 1 }, new HurriedClock(), () => 0.5);
        var options = new RemoteTraceOptions
        {
            Seed = 1, Teacher = "teacher-1", Address = "http://teacher.test/v1", MaxTokens = 64, Tokenizer = tokenizer,
            TopLogProbabilities = tokenizer is null ? 0 : 2, Concurrency = 1,
        };
        var parts = new List<TracePart>();
        await new RemoteTraceCollection(client, options, new CompletionStore(Path.Combine(folder.Path, "store")))
            .RunAsync(Problems, _ => false, parts.Add, cancellation: TestContext.Current.CancellationToken);
        return [.. parts.SelectMany(part => part.Traces)];
    }
}
