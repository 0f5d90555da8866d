using Distill.Generation;
using Distill.Serving.Http;
using Distill.Serving.Protocol;
using Distill.Serving.Requests;
using Distill.Teacher;

namespace Distill.Serving.Endpoints;

/// <summary><c>/v1/chat/completions</c>: messages answered, the reasoning apart from the answer. Thread-safe.</summary>
internal sealed class ChatEndpoint(AnsweringModel model)
{
    public async Task AnswerAsync(Exchange exchange)
    {
        var parameters = new RequestParameters(await exchange.ReadBodyAsync());
        model.RequireNamed(parameters);
        var asked = ChatParameters.Read(parameters, model.Encoder);
        long number = model.NextNumber();
        var request = model.Request(
            asked.Settings, asked.Prompt, "messages", number, asked.MaxTokens ?? int.MaxValue, asked.Top ?? 0, scores: false);
        string id = model.IdOf("chatcmpl", number);
        if (asked.Settings.Stream)
        {
            await new ChatStream(model, exchange, asked, id, model.Created).RunAsync(request);
            return;
        }

        var completions = await model.Engine.CompleteAsync(request, exchange.Aborted);
        var usage = new Usage(asked.Prompt.Length, completions.Sum(completion => completion.Tokens.Count));
        exchange.Count(usage);
        await exchange.WriteAsync(
            new ChatBody(
                id, model.Created, model.Name, [.. completions.Select((completion, index) => Choice(asked, completion, index))], usage));
    }

    private ChatChoice Choice(ChatParameters asked, Completion completion, int index)
    {
        var text = new ReplyText(model.Encoder.Tokenizer, asked.Prompt, _ => { }, asked.Settings.StopStrings);
        int count = completion.StopReason == StopReason.StopToken ? completion.Tokens.Count - 1 : completion.Tokens.Count;
        foreach (int token in completion.Tokens.Take(count)) text.Push(token);
        text.End();
        return new ChatChoice(
            index, new ChatReplyMessage(text.Answer, text.Reasoning.Length == 0 ? null : text.Reasoning),
            asked.Top is null ? null : ChatLogProbabilityReader.Of(completion, model.Spelling),
            AnsweringModel.FinishReason(completion.StopReason));
    }
}

/// <summary>
/// A reply as events. Log-probabilities come with their token; with alternatives asked for, all of them in the choice's last event, since
/// the engine gives alternatives at the end. One per request.
/// </summary>
internal sealed class ChatStream
{
    private readonly AnsweringModel model;
    private readonly Exchange exchange;
    private readonly ChatParameters asked;
    private readonly string id;
    private readonly long created;
    private readonly ReplyText[] texts;
    private readonly List<ReplyPiece> pieces = []; // of the last token
    private int completionTokens;

    public ChatStream(AnsweringModel model, Exchange exchange, ChatParameters asked, string id, long created)
    {
        (this.model, this.exchange, this.asked, this.id, this.created) = (model, exchange, asked, id, created);
        texts = [.. Enumerable.Range(0, asked.Settings.Count)
            .Select(_ => new ReplyText(model.Encoder.Tokenizer, asked.Prompt, pieces.Add, asked.Settings.StopStrings))];
    }

    public async Task RunAsync(GenerationRequest request)
    {
        var events = model.Engine.Stream(request, exchange.Aborted); // refused before anything is sent
        bool begun = false;
        await foreach (var happened in events)
        {
            // Within the loop: a client that is gone by now ends it, which drops the request.
            for (int index = 0; index < texts.Length && !begun; index++)
                await SendAsync(index, new ChatDelta(Role: "assistant", Content: ""));
            begun = true;
            if (happened is TokenGenerated token) await TokenAsync(token, ends: request.StopTokens.Contains(token.Choice.Token));
            else if (happened is CompletionEnded ended) await EndAsync(ended);
        }

        var usage = new Usage(asked.Prompt.Length, completionTokens);
        exchange.Count(usage);
        if (asked.Settings.Usage) await exchange.SendAsync(new ChatChunk(id, created, model.Name, [], usage));
        await exchange.SendDoneAsync();
    }

    private async Task TokenAsync(TokenGenerated token, bool ends)
    {
        completionTokens++;
        if (!ends) texts[token.SeedIndex].Push(token.Choice.Token);
        await SendPiecesAsync(token.SeedIndex, asked.Top == 0 ? ChatLogProbabilityReader.Of(token.Choice, model.Spelling) : null);
    }

    private async Task EndAsync(CompletionEnded ended)
    {
        texts[ended.SeedIndex].End();
        await SendPiecesAsync(ended.SeedIndex, null);
        await SendAsync(
            ended.SeedIndex, new ChatDelta(), asked.Top > 0 ? ChatLogProbabilityReader.Of(ended.Completion, model.Spelling) : null,
            AnsweringModel.FinishReason(ended.Completion.StopReason));
    }

    /// <summary>The pieces of a token; what is reported of it goes with the first, or alone where it added no text.</summary>
    private async Task SendPiecesAsync(int index, ChatLogProbabilities? scores)
    {
        foreach (var piece in pieces)
        {
            await SendAsync(
                index, piece.IsReasoning ? new ChatDelta(ReasoningContent: piece.Text) : new ChatDelta(Content: piece.Text), scores);
            scores = null;
        }

        pieces.Clear();
        if (scores is not null) await SendAsync(index, new ChatDelta(Content: ""), scores);
    }

    private Task SendAsync(int index, ChatDelta delta, ChatLogProbabilities? scores = null, string? finish = null) =>
        exchange.SendAsync(new ChatChunk(id, created, model.Name, [new ChatChunkChoice(index, delta, scores, finish)]));
}

/// <summary>What chat completions report of tokens.</summary>
internal static class ChatLogProbabilityReader
{
    public static ChatLogProbabilities Of(Completion completion, TokenSpelling spelling) =>
        new([.. completion.Tokens.Select((token, position) =>
        Entry(token, completion.LogProbabilities[position], Alternatives(completion.Top, position, spelling), spelling))]);

    /// <summary>One token, without alternatives.</summary>
    public static ChatLogProbabilities Of(TokenChoice choice, TokenSpelling spelling) =>
        new([Entry(choice.Token, choice.LogProbability, [], spelling)]);

    private static ChatTokenLogProbability Entry(
        int token, float score, IReadOnlyList<ChatTopLogProbability> top, TokenSpelling spelling) =>
        new(spelling.Of(token), ApiJson.Finite(score), spelling.BytesOf(token), top);

    private static IReadOnlyList<ChatTopLogProbability> Alternatives(TopLogProbabilities? top, int position, TokenSpelling spelling) =>
        top is null ? [] :
        [.. Enumerable.Range(position * top.Count, top.Count).Select(at =>
            new ChatTopLogProbability(spelling.Of(top.Ids[at]), ApiJson.Finite(top.LogProbabilities[at]), spelling.BytesOf(top.Ids[at])))];
}
