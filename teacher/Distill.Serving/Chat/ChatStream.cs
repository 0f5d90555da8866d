using Distill.Generation;
using Distill.Serving.Http;
using Distill.Serving.Protocol;
using Distill.Serving.Requests;
using Distill.Teacher;

namespace Distill.Serving.Chat;

/// <summary>
/// A reply as events. Log-probabilities come with their token; with alternatives asked for, all of them in the choice's last event, since
/// the engine gives alternatives at the end. One per request.
/// </summary>
internal sealed class ChatStream
{
    private readonly ServedModel model;
    private readonly Exchange exchange;
    private readonly ChatParameters asked;
    private readonly string id;
    private readonly long created;
    private readonly ReplyText[] texts;
    private readonly List<ReplyPiece> pieces = []; // of the last token
    private int completionTokens;

    public ChatStream(ServedModel model, Exchange exchange, ChatParameters asked, string id, long created)
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
            for (int index = 0; index < texts.Length && !begun; index++) await SendAsync(index, new ChatDelta(Role: "assistant", Content: ""));
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
            ServedModel.FinishReason(ended.Completion.StopReason));
    }

    /// <summary>The pieces of a token; what is reported of it goes with the first, or alone where it added no text.</summary>
    private async Task SendPiecesAsync(int index, ChatLogProbabilities? scores)
    {
        foreach (var piece in pieces)
        {
            await SendAsync(index, piece.IsReasoning ? new ChatDelta(ReasoningContent: piece.Text) : new ChatDelta(Content: piece.Text), scores);
            scores = null;
        }

        pieces.Clear();
        if (scores is not null) await SendAsync(index, new ChatDelta(Content: ""), scores);
    }

    private Task SendAsync(int index, ChatDelta delta, ChatLogProbabilities? scores = null, string? finish = null) =>
        exchange.SendAsync(new ChatChunk(id, created, model.Name, [new ChatChunkChoice(index, delta, scores, finish)]));
}
