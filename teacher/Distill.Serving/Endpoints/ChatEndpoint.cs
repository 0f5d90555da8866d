using Distill.Client;
using Distill.Generation;
using Distill.Serving.Http;
using Distill.Serving.Protocol;
using Distill.Serving.Requests;

namespace Distill.Serving.Endpoints;

/// <summary><c>/v1/chat/completions</c>: messages answered, the reasoning apart from the answer. Thread-safe.</summary>
internal sealed class ChatEndpoint(AnsweringModel model)
{
    public async Task AnswerAsync(Exchange exchange)
    {
        var parameters = new RequestParameters(await exchange.ReadBodyAsync());
        model.RequireNamed(parameters);
        var asked = ChatParameters.Read(parameters, model.Prompts);
        long number = model.NextNumber();
        var request = model.Request(asked, "messages", number);
        string id = model.IdOf("chatcmpl", number);
        if (asked.Settings.Stream)
        {
            await new ChatStream(model, exchange, asked, id, number).RunAsync(request);
            return;
        }

        var completions = await model.CompleteAsync(request, exchange.Aborted);
        var replies = completions.Select((completion, index) => ReplyReader.Of(model, asked, completion, number, index)).ToList();
        var usage = UsageOf(asked, completions.Sum(completion => completion.Tokens.Count), replies);
        exchange.Count(usage);
        await exchange.WriteAsync(new ChatBody(
            id, model.Created, model.Name, [.. completions.Select((completion, index) => Choice(asked, completion, replies[index], index))],
            usage));
    }

    public static Usage UsageOf(ChatParameters asked, int completionTokens, IEnumerable<ReplyReader> replies) =>
        new(asked.Prompt.Length, completionTokens, new CompletionTokensDetails(replies.Sum(reply => reply.ReasoningTokens)));

    private ChatChoice Choice(ChatParameters asked, Completion completion, ReplyReader reply, int index)
    {
        var calls = reply.Calls.Select(call => ChatCall.Of(call)).ToList();
        var message = new ChatReplyMessage(
            calls.Count > 0 && reply.Answer.Length == 0 ? null : reply.Answer, reply.Reasoning.Length == 0 ? null : reply.Reasoning,
            calls.Count == 0 ? null : calls);
        return new ChatChoice(
            index, message, asked.Top is null ? null : ChatLogProbabilityReader.Of(completion, model.Spelling),
            reply.FinishReason(completion.StopReason));
    }
}

/// <summary>
/// A reply as events. Log-probabilities come with their token; with alternatives asked for, all of them in the choice's last event, since
/// the engine gives alternatives at the end. One per request.
/// </summary>
internal sealed class ChatStream(AnsweringModel model, Exchange exchange, ChatParameters asked, string id, long number)
{
    private readonly long created = model.Created;
    private readonly ReplyReader[] replies =
        [.. Enumerable.Range(0, asked.Settings.Count).Select(index => new ReplyReader(model, asked, number, index))];

    private readonly int[] calls = new int[asked.Settings.Count]; // sent so far
    private int completionTokens;

    public async Task RunAsync(GenerationRequest request)
    {
        var events = model.Stream(request, exchange.Aborted); // refused before anything is sent
        bool begun = false;
        await foreach (var happened in events)
        {
            // Within the loop: a client that is gone by now ends it, which drops the request.
            for (int index = 0; index < replies.Length && !begun; index++)
                await SendAsync(index, new ChatDelta(Role: "assistant", Content: ""));
            begun = true;
            if (happened is TokenGenerated token) await TokenAsync(token, ends: request.StopTokens.Contains(token.Choice.Token));
            else if (happened is CompletionEnded ended) await EndAsync(ended);
        }

        var usage = ChatEndpoint.UsageOf(asked, completionTokens, replies);
        exchange.Count(usage);
        if (asked.Settings.Usage) await exchange.SendAsync(new ChatChunk(id, created, model.Name, [], usage));
        await exchange.SendDoneAsync();
    }

    private async Task TokenAsync(TokenGenerated token, bool ends)
    {
        completionTokens++;
        if (!ends) replies[token.SeedIndex].Push(token.Choice.Token);
        await SendPartsAsync(token.SeedIndex, asked.Top == 0 ? ChatLogProbabilityReader.Of(token.Choice, model.Spelling) : null);
    }

    private async Task EndAsync(CompletionEnded ended)
    {
        var reply = replies[ended.SeedIndex];
        reply.End();
        await SendPartsAsync(ended.SeedIndex, null);
        await SendAsync(
            ended.SeedIndex, new ChatDelta(), asked.Top > 0 ? ChatLogProbabilityReader.Of(ended.Completion, model.Spelling) : null,
            reply.FinishReason(ended.Completion.StopReason));
    }

    /// <summary>The parts of a token; what is reported of it goes with the first, or alone where it added no text.</summary>
    private async Task SendPartsAsync(int index, ChatLogProbabilities? scores)
    {
        foreach (var part in replies[index].Take())
        {
            await SendAsync(index, DeltaOf(index, part), scores);
            scores = null;
        }

        if (scores is not null) await SendAsync(index, new ChatDelta(Content: ""), scores);
    }

    private ChatDelta DeltaOf(int index, ReplyPart part) =>
        part.Call is { } call ? new ChatDelta(ToolCalls: [ChatCall.Of(call, calls[index]++)])
        : part.Piece.IsReasoning ? new ChatDelta(ReasoningContent: part.Piece.Text) : new ChatDelta(Content: part.Piece.Text);

    private Task SendAsync(int index, ChatDelta delta, ChatLogProbabilities? scores = null, string? finish = null) =>
        exchange.SendAsync(new ChatChunk(id, created, model.Name, [new ChatChunkChoice(index, delta, scores, finish)]));
}
