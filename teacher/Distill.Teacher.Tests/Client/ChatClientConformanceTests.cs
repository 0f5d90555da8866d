using Distill.Client;
using Distill.Generation;
using Distill.Teacher.Tests.Fixtures;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Time.Testing;
using Engine = Distill.Generation.GenerationEngine;

namespace Distill.Teacher.Tests.Client;

/// <summary>What Microsoft.Extensions.AI says of a chat client, held to.</summary>
public sealed class ChatClientConformanceTests : IDisposable
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);

    private readonly ITokenModel model = TinyReasoner.Open();
    private readonly Engine engine;
    private readonly EngineChatClient client;

    public ChatClientConformanceTests()
    {
        engine = new Engine(model);
        client = new EngineChatClient(engine, TinyReasoner.Encoder, "tiny", clock: new FakeTimeProvider(s_now));
    }

    public void Dispose()
    {
        engine.Dispose();
        model.Dispose();
    }

    [Fact]
    public async Task Every_response_says_what_it_is_and_streamed_it_says_the_same()
    {
        var whole = await client.GetResponseAsync(TinyReasoner.Question);
        var updates = await client.GetStreamingResponseAsync(TinyReasoner.Question).ToListAsync();
        foreach (var update in updates)
            (update.Role, update.ModelId, update.CreatedAt, update.ResponseId, update.MessageId).ShouldBe(
                (ChatRole.Assistant, "tiny", s_now, updates[0].ResponseId, updates[0].MessageId));
        whole.ResponseId.ShouldNotBeNullOrEmpty();
        whole.ResponseId.ShouldNotBe(updates[0].ResponseId);
        (whole.ModelId, whole.CreatedAt, whole.Messages[0].MessageId).ShouldBe(("tiny", s_now, whole.ResponseId));
        var joined = updates.ToChatResponse();
        joined.Messages.ShouldHaveSingleItem().Contents.Select(content => (content.GetType(), content.ToString())).ShouldBe(
            whole.Messages.ShouldHaveSingleItem().Contents.Select(content => (content.GetType(), content.ToString())));
        var (used, usedStreaming) = (whole.Usage!, joined.Usage!);
        (used.InputTokenCount, used.OutputTokenCount, used.TotalTokenCount, used.ReasoningTokenCount).ShouldBe((
            usedStreaming.InputTokenCount, usedStreaming.OutputTokenCount, usedStreaming.TotalTokenCount,
            usedStreaming.ReasoningTokenCount));
        used.ReasoningTokenCount!.Value.ShouldBeInRange(1, used.OutputTokenCount!.Value - 1);
        used.TotalTokenCount.ShouldBe(used.InputTokenCount + used.OutputTokenCount);
    }

    [Fact]
    public async Task Instructions_and_developers_speak_as_the_system()
    {
        ChatMessage user = new(ChatRole.User, TinyReasoner.Question);
        long plain = await Tokens([new(ChatRole.System, "Be brief.\n\nBe kind."), user], null);
        (await Tokens([new(new ChatRole("developer"), "Be brief.\n\nBe kind."), user], null)).ShouldBe(plain);
        (await Tokens([new(ChatRole.System, "Be kind."), user], new ChatOptions { Instructions = "Be brief." })).ShouldBe(plain);
        (await Tokens([user], null)).ShouldBeLessThan(plain);

        async Task<long> Tokens(List<ChatMessage> messages, ChatOptions? options) =>
            (await client.GetResponseAsync(messages, options)).Usage!.InputTokenCount!.Value;
    }

    [Fact]
    public async Task Options_are_honoured()
    {
        (await client.GetResponseAsync(TinyReasoner.Question, new ChatOptions { ModelId = "tiny" })).Text.ShouldNotBeEmpty();
        var hidden = await client.GetResponseAsync(
            TinyReasoner.Question, new ChatOptions { Reasoning = new ReasoningOptions { Output = ReasoningOutput.None } });
        hidden.Messages[0].Contents.ShouldAllBe(content => content is TextContent);
        hidden.Usage!.ReasoningTokenCount!.Value.ShouldBeGreaterThan(0);
        // The same by name, by the additional properties, and by the engine's own options.
        string[] ways =
        [
            await Sampled(new ChatOptions { TopK = 3, AdditionalProperties = new() { ["min_p"] = 0.05, ["repetition_penalty"] = 1.1f } }),
            await Sampled(new ChatOptions
            {
                AdditionalProperties = new() { ["top_k"] = 3, ["min_p"] = 0.05, ["repetition_penalty"] = 1.1 },
            }),
            await Sampled(new ChatOptions
            {
                RawRepresentationFactory = _ => new SamplingOptions { TopK = 3, MinP = 0.05, RepetitionPenalty = 1.1 },
            }),
        ];
        ways.Distinct().ShouldHaveSingleItem();
        string penalised = await Sampled(new ChatOptions { FrequencyPenalty = 2, PresencePenalty = 1.5f });
        penalised.ShouldNotBe(await Sampled(new ChatOptions()));

        async Task<string> Sampled(ChatOptions options)
        {
            (options.Temperature, options.Seed, options.MaxOutputTokens) = (2, 7, 60);
            var response = await client.GetResponseAsync(TinyReasoner.Question, options);
            return string.Join(',', ((Completion)response.RawRepresentation!).Tokens);
        }
    }

    [Fact]
    public async Task Impossible_values_are_the_callers_fault()
    {
        foreach (var options in (ChatOptions[])[
            new() { AdditionalProperties = new() { ["top_k"] = "three" } }, new() { AdditionalProperties = new() { ["min_p"] = true } },
            new() { AdditionalProperties = new() { ["chat_template_kwargs"] = new Dictionary<string, object> { ["messages"] = 1 } } },
            new() { AdditionalProperties = new() { ["chat_template_kwargs"] = new Dictionary<string, object> { ["x"] = "<|end|>" } } },
            new() { MaxOutputTokens = 0 }, new() { StopSequences = [""] }, new() { StopSequences = ["\ud800"] },
            new() { Instructions = "\udc00" }, new() { Temperature = -1 }])
            await Should.ThrowAsync<ArgumentException>(() => client.GetResponseAsync("hello", options));
        ChatMessage[] messages = [new(ChatRole.User, "ok"), new(ChatRole.User, "half \ud83d of it")];
        (await Should.ThrowAsync<ArgumentException>(() => client.GetResponseAsync(messages))).Message.ShouldContain("message 1");
        await Should.ThrowAsync<ArgumentNullException>(() => client.GetResponseAsync((IEnumerable<ChatMessage>)null!));
        Should.Throw<ArgumentNullException>(() => client.GetService(null!));
        var whole = await client.GetResponseAsync("still \ud83d\ude00 there", new ChatOptions { MaxOutputTokens = 3 });
        whole.Usage!.OutputTokenCount.ShouldBe(3);
    }

    [Fact]
    public async Task Cancelling_ends_a_call_within_a_step()
    {
        using var entered = new SemaphoreSlim(0);
        using var leave = new ManualResetEventSlim();
        using var slow = Blocking(entered, leave);
        using var slowEngine = new Engine(slow);
        using var slowClient = new EngineChatClient(slowEngine, TinyTokenizer.Encoder, "slow");
        using var cancelling = new CancellationTokenSource();
        var call = slowClient.GetResponseAsync("x", cancellationToken: cancelling.Token);
        await entered.WaitAsync(TestContext.Current.CancellationToken);
        await cancelling.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => call); // the step still stands
        leave.Set();
    }

    [Fact]
    public async Task Calls_end_when_the_engine_is_disposed()
    {
        using var entered = new SemaphoreSlim(0);
        using var leave = new ManualResetEventSlim();
        using var slow = Blocking(entered, leave);
        var slowEngine = new Engine(slow);
        using var slowClient = new EngineChatClient(slowEngine, TinyTokenizer.Encoder, "slow");
        var calls = Enumerable.Range(0, 20).Select(_ => slowClient.GetResponseAsync("x")).ToArray();
        await entered.WaitAsync(TestContext.Current.CancellationToken);
        var disposing = Task.Run(slowEngine.Dispose, TestContext.Current.CancellationToken);
        foreach (var call in calls) await Should.ThrowAsync<ObjectDisposedException>(() => call);
        leave.Set();
        await disposing;
        await Should.ThrowAsync<ObjectDisposedException>(() => slowClient.GetResponseAsync("x"));
    }

    private static ScriptedTokenModel Blocking(SemaphoreSlim entered, ManualResetEventSlim leave) =>
        new(TinyTokenizer.Tokenizer.VocabularySize, 100, (_, logits) =>
        {
            entered.Release();
            leave.Wait();
            logits.Clear();
        });
}
