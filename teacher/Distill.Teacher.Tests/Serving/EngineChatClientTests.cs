using Distill.Client;
using Distill.Generation;
using Distill.Teacher.Tests.Fixtures;
using Microsoft.Extensions.AI;

namespace Distill.Teacher.Tests.Serving;

/// <summary>A local model as an <see cref="IChatClient"/>.</summary>
public sealed class EngineChatClientTests
{
    [Fact]
    public async Task A_response_is_the_models_reply_whole_and_streamed()
    {
        using var model = TinyReasoner.Open();
        using var engine = new GenerationEngine(model);
        using var client = new EngineChatClient(engine, TinyReasoner.Encoder, "tiny");
        var response = await client.GetResponseAsync(TinyReasoner.Question, cancellationToken: TestContext.Current.CancellationToken);
        var completion = response.RawRepresentation.ShouldBeOfType<Completion>();
        var expected = new ReasoningParser(TinyReasoner.Tokenizer).Parse(completion);
        response.Text.ShouldBe(expected.Answer);
        response.Messages[0].Contents.OfType<TextReasoningContent>().Single().Text.ShouldBe(expected.Reasoning);
        response.FinishReason.ShouldBe(ChatFinishReason.Stop);
        response.ModelId.ShouldBe("tiny");
        response.Usage!.OutputTokenCount.ShouldBe(completion.Tokens.Count);

        var updates = new List<ChatResponseUpdate>();
        await foreach (
            var update in client.GetStreamingResponseAsync(
                TinyReasoner.Question, cancellationToken: TestContext.Current.CancellationToken)) updates.Add(update);
        updates.Count.ShouldBeGreaterThan(5);
        var joined = updates.ToChatResponse();
        joined.Text.ShouldBe(response.Text);
        string.Concat(
            updates.SelectMany(update => update.Contents).OfType<TextReasoningContent>()
                .Select(content => content.Text)).ShouldBe(expected.Reasoning);
        joined.FinishReason.ShouldBe(ChatFinishReason.Stop);
        joined.Usage!.TotalTokenCount.ShouldBe(response.Usage.TotalTokenCount);
    }

    [Fact]
    public async Task Options_reach_the_engine()
    {
        using var model = TinyReasoner.Open();
        using var engine = new GenerationEngine(model);
        using var client = new EngineChatClient(engine, TinyReasoner.Encoder, "tiny");
        var options = new ChatOptions { Temperature = 0.7f, TopP = 0.9f, TopK = 30, MaxOutputTokens = 40, Seed = 5 };
        var response = await client.GetResponseAsync(TinyReasoner.Question, options, TestContext.Current.CancellationToken);
        var expected = await engine.CompleteAsync(new GenerationRequest
        {
            Prompt = TinyReasoner.Encoder.EncodePrompt([Tokenization.ChatMessage.User(TinyReasoner.Question)]), MaxNewTokens = 40,
            Seeds = [5],
            Sampling = new SamplingOptions { Temperature = 0.7, TopP = 0.9, TopK = 30 }, StopTokens = [TinyReasoner.Encoder.EndToken],
        }, TestContext.Current.CancellationToken);
        ((Completion)response.RawRepresentation!).Tokens.ShouldBe(expected[0].Tokens);

        var cut = await client.GetResponseAsync(
            TinyReasoner.Question, new ChatOptions { MaxOutputTokens = 3 }, TestContext.Current.CancellationToken);
        cut.FinishReason.ShouldBe(ChatFinishReason.Length);
        cut.Usage!.OutputTokenCount.ShouldBe(3);
        string answer = (
            await client.GetResponseAsync(TinyReasoner.Question, cancellationToken: TestContext.Current.CancellationToken)).Text;
        var stopped = await client.GetResponseAsync(
            TinyReasoner.Question, new ChatOptions { StopSequences = [answer[^1..]] }, TestContext.Current.CancellationToken);
        stopped.FinishReason.ShouldBe(ChatFinishReason.Stop);
        stopped.Text.ShouldNotContain(answer[^1..]);
    }

    [Fact]
    public async Task Many_callers_at_once_get_what_each_gets_alone()
    {
        using var model = TinyReasoner.Open();
        using var engine = new GenerationEngine(model, new EngineOptions { Slots = 4 });
        using var client = new EngineChatClient(engine, TinyReasoner.Encoder, "tiny");
        string[] questions = [.. Enumerable.Range(1, 10).Select(i => $"What is ({i} + {i + 3}) * 2?")];
        var together = await Task.WhenAll(questions.Select(question => client.GetResponseAsync(question)));
        for (int i = 0; i < questions.Length; i++)
            (
                await client.GetResponseAsync(
                    questions[i], cancellationToken: TestContext.Current.CancellationToken)).Text.ShouldBe(together[i].Text);
    }

    [Fact]
    public async Task What_cannot_be_honoured_is_refused()
    {
        using var model = TinyReasoner.Open();
        using var engine = new GenerationEngine(model);
        using var client = new EngineChatClient(engine, TinyReasoner.Encoder, "tiny");
        foreach (var options in (ChatOptions[])[
            new() { ConversationId = "c" }, new() { ModelId = "other" }, new() { Tools = [AIFunctionFactory.Create(() => 1, "one")] },
            new() { AdditionalProperties = new() { ["beams"] = 3 } }, new() { RawRepresentationFactory = _ => "raw" },
            new() { Reasoning = new ReasoningOptions { Effort = ReasoningEffort.High } },
            new() { Reasoning = new ReasoningOptions { Output = ReasoningOutput.Summary } }])
            await Should.ThrowAsync<NotSupportedException>(() => client.GetResponseAsync("hello", options));
        await Should.ThrowAsync<NotSupportedException>(() => client.GetResponseAsync([new ChatMessage(ChatRole.Tool, "x")]));
        await Should.ThrowAsync<NotSupportedException>(
            () => client.GetResponseAsync([new ChatMessage(ChatRole.User, [new DataContent(new byte[] { 1 }, "image/png")])]));
        ((IChatClient)client).GetService(typeof(ChatClientMetadata)).ShouldBeOfType<ChatClientMetadata>().DefaultModelId.ShouldBe("tiny");
    }
}
