using System.Text.Json;
using Distill.Generation;
using Distill.Serving.Http;
using Distill.Serving.Protocol;
using Distill.Serving.Requests;

namespace Distill.Serving.Endpoints;

/// <summary><c>/v1/responses</c>: a conversation answered by items, whole or as events; nothing is stored. Thread-safe.</summary>
internal sealed class ResponseEndpoint(AnsweringModel model)
{
    public async Task AnswerAsync(Exchange exchange)
    {
        var parameters = new RequestParameters(await exchange.ReadBodyAsync());
        model.RequireNamed(parameters);
        var asked = ResponseParameters.Read(parameters, model.Prompts);
        long number = model.NextNumber();
        var request = model.Request(asked.Chat, "input", number);
        var assembly = new ResponseAssembly(BodyOf(asked, model.IdOf("resp", number)), model.IdOf("item", number));
        var events = model.Stream(request, exchange.Aborted); // refused before anything is sent
        if (asked.Chat.Settings.Stream) await StreamAsync(exchange, asked.Chat, request, events, assembly, number);
        else await exchange.WriteAsync(await ReadAsync(exchange, asked.Chat, request, events, assembly, number, _ => Task.CompletedTask));
    }

    private async Task StreamAsync(
        Exchange exchange, ChatParameters asked, GenerationRequest request, IAsyncEnumerable<GenerationEvent> events,
        ResponseAssembly assembly, long number)
    {
        exchange.ErrorEvent = error =>
            ("error", new ResponseErrorEvent(assembly.NextNumber(), error.Message, error.Code ?? error.Type, error.Parameter));
        await ReadAsync(exchange, asked, request, events, assembly, number, async happened =>
        {
            foreach (var each in happened) await exchange.SendAsync(each, each.Type);
        });
    }

    /// <summary>Reads the reply to its end.</summary>
    /// <param name="told">Gets the events of every token, those of the beginning before the first.</param>
    private async Task<ResponseBody> ReadAsync(
        Exchange exchange, ChatParameters asked, GenerationRequest request, IAsyncEnumerable<GenerationEvent> events,
        ResponseAssembly assembly, long number, Func<IReadOnlyList<ResponseEvent>, Task> told)
    {
        var reply = new ReplyReader(model, asked, number, index: 0);
        int tokens = 0;
        await foreach (var happened in events)
        {
            if (tokens == 0) assembly.Begin();
            if (happened is TokenGenerated token)
            {
                tokens++;
                if (!request.StopTokens.Contains(token.Choice.Token)) reply.Push(token.Choice.Token);
            }

            if (happened is CompletionEnded) reply.End();
            foreach (var part in reply.Take()) assembly.Add(part);
            if (happened is CompletionEnded ended)
            {
                var usage = ChatEndpoint.UsageOf(asked, tokens, [reply]);
                exchange.Count(usage);
                assembly.End(ended.Completion.StopReason == StopReason.Length, new ResponseUsage(
                    usage.PromptTokens, usage.CompletionTokens, new OutputTokensDetails(reply.ReasoningTokens)));
            }

            await told(assembly.Take());
        }

        return assembly.Response;
    }

    private ResponseBody BodyOf(ResponseParameters asked, string id)
    {
        var sampling = asked.Chat.Settings.Sampling;
        return new ResponseBody(id, model.Created, model.Name)
        {
            Instructions = asked.Instructions, MaxOutputTokens = asked.Chat.MaxTokens, Temperature = sampling.Temperature,
            TopP = sampling.TopP, ParallelToolCalls = asked.Chat.Tools.Parallel,
            ToolChoice = asked.ToolChoice ?? JsonSerializer.SerializeToElement("auto"),
            Tools = asked.Tools ?? JsonSerializer.SerializeToElement(Array.Empty<int>()),
            Text = JsonSerializer.SerializeToElement(new
            {
                format = asked.Format ?? JsonSerializer.SerializeToElement(new { type = "text" }),
            }),
            Metadata = asked.Metadata ?? JsonSerializer.SerializeToElement(new { }),
        };
    }
}
