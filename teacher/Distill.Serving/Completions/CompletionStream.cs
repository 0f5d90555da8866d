using Distill.Generation;
using Distill.Serving.Http;
using Distill.Serving.Protocol;
using Distill.Serving.Requests;

namespace Distill.Serving.Completions;

/// <summary>
/// A completion as events. Log-probabilities come with their token; with alternatives asked for, all of them in the choice's last event,
/// since the engine gives alternatives at the end. One per request.
/// </summary>
internal sealed class CompletionStream(ServedModel model, Exchange exchange, CompletionParameters asked, string id, long created)
{
    private readonly CompletionLogProbabilityReader[] readers =
        [.. Enumerable.Range(0, asked.Settings.Count).Select(_ => new CompletionLogProbabilityReader(model.Spelling, model.Encoder.Tokenizer))];

    private int completionTokens;

    public async Task RunAsync(GenerationRequest request)
    {
        var prompt = asked.Prompts[0];
        var events = asked.MaxTokens == 0 ? null : model.Engine.Stream(request, exchange.Aborted); // refused before anything is sent
        if (events is null) await EchoAsync(prompt, "length");
        else await RunAsync(events, prompt);
        var usage = new Usage(prompt.Tokens.Length, completionTokens);
        exchange.Count(usage);
        if (asked.Settings.Usage) await exchange.SendAsync(new CompletionBody(id, created, model.Name, [], usage));
        await exchange.SendDoneAsync();
    }

    private async Task RunAsync(IAsyncEnumerable<GenerationEvent> events, GivenPrompt prompt)
    {
        bool begun = false;
        await foreach (var happened in events)
        {
            // Within the loop: a client that is gone by now ends it, which drops the request.
            if (!begun && asked.Echo) await EchoAsync(prompt, null);
            begun = true;
            await SendAsync(happened);
        }
    }

    private async Task EchoAsync(GivenPrompt prompt, string? finish)
    {
        for (int index = 0; index < asked.Settings.Count; index++) await SendAsync(new CompletionChoice(index, prompt.Text, null, finish));
    }

    private async Task SendAsync(GenerationEvent happened)
    {
        var reader = readers[happened.SeedIndex];
        if (happened is TokenGenerated token)
        {
            completionTokens++;
            if (asked.Top == 0) reader.AddToken(token.Choice, token.Text);
            if (token.Text.Length > 0 || asked.Top == 0)
                await SendAsync(new CompletionChoice(token.SeedIndex, token.Text, asked.Top == 0 ? reader.Take() : null, null));
        }
        else if (happened is CompletionEnded ended)
        {
            if (asked.Top > 0) reader.AddCompletion(ended.Completion);
            await SendAsync(new CompletionChoice(
                ended.SeedIndex, "", asked.Top > 0 ? reader.Take() : null, ServedModel.FinishReason(ended.Completion.StopReason)));
        }
    }

    private Task SendAsync(CompletionChoice choice) => exchange.SendAsync(new CompletionBody(id, created, model.Name, [choice]));
}
