using System.Net.ServerSentEvents;
using Distill.Client;
using Distill.Generation;
using Microsoft.Extensions.AI;

var builder = WebApplication.CreateBuilder(args);
var model = builder.Configuration.GetSection("Model");
builder.Services.AddDistillChatClient(model["Folder"] ?? "");
builder.Services.Configure<DistillChatClientOptions>(model);
builder.Services.AddHealthChecks().AddDistill();

var app = builder.Build();
app.MapHealthChecks("/health");
app.MapPost("/ask", async (Question question, IChatClient client, CancellationToken cancellation) =>
{
    try
    {
        var response = await client.GetResponseAsync(question.Text, question.Options, cancellation);
        var thoughts = response.Messages.SelectMany(message => message.Contents).OfType<TextReasoningContent>();
        return Results.Json(new Reply(
            string.Concat(thoughts.Select(thought => thought.Text)), response.Text, response.Usage?.OutputTokenCount));
    }
    catch (Exception e) when (Refusal(e) is { } refusal)
    {
        return refusal;
    }
});

// Server-sent events 'reasoning' and 'answer'. A caller who goes away cancels: the model stops before its next token. The first update is
// awaited before anything is sent, so that a refusal still has a status of its own.
app.MapPost("/stream", async Task<IResult> (Question question, IChatClient client, CancellationToken cancellation) =>
{
    var updates = client.GetStreamingResponseAsync(question.Text, question.Options, cancellation).GetAsyncEnumerator(cancellation);
    try
    {
        bool any = await updates.MoveNextAsync();
        return TypedResults.ServerSentEvents(Pieces(updates, any));
    }
    catch (Exception e)
    {
        await updates.DisposeAsync();
        if (Refusal(e) is { } refusal) return refusal;
        throw;
    }
});
app.Run();

// What a caller is told of a question that is not answered; null for what is a fault of the service.
static IResult? Refusal(Exception fault) => fault switch
{
    ArgumentException => Results.Problem(fault.Message, statusCode: StatusCodes.Status400BadRequest), // a prompt that is too long, say
    EngineBusyException => Results.Problem(fault.Message, statusCode: StatusCodes.Status429TooManyRequests),
    _ => null,
};

static async IAsyncEnumerable<SseItem<string>> Pieces(IAsyncEnumerator<ChatResponseUpdate> updates, bool any)
{
    await using var read = updates;
    for (; any; any = await updates.MoveNextAsync())
    {
        foreach (var content in updates.Current.Contents)
        {
            if (content is TextReasoningContent thought) yield return new SseItem<string>(thought.Text, "reasoning");
            else if (content is TextContent text) yield return new SseItem<string>(text.Text, "answer");
        }
    }
}

internal sealed record Question(string Text, int? MaxTokens = null)
{
    public ChatOptions Options => new() { MaxOutputTokens = MaxTokens };
}

internal sealed record Reply(string Reasoning, string Answer, long? Tokens);
