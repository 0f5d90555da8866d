using Distill.Generation;
using Distill.Serving.Http;
using Distill.Serving.Protocol;
using Distill.Serving.Requests;

namespace Distill.Serving.Endpoints;

/// <summary><c>/v1/completions</c>: texts or ids continued as they are, with what the model thinks of them. Thread-safe.</summary>
internal sealed class CompletionEndpoint(AnsweringModel model)
{
    public async Task AnswerAsync(Exchange exchange)
    {
        var parameters = new RequestParameters(await exchange.ReadBodyAsync());
        model.RequireNamed(parameters);
        var asked = CompletionParameters.Read(parameters, model.Encoder.Tokenizer);
        long number = model.NextNumber();
        var requests = asked.Prompts.Select(prompt => model.Request(
            asked.Settings, prompt.Tokens, "prompt", number, Math.Max(asked.MaxTokens, asked.Scores ? 0 : 1), asked.Top ?? 0,
            asked.Scores)).ToList();
        if (asked.Settings.Stream)
            await new CompletionStream(model, exchange, asked, model.IdOf("cmpl", number), model.Created).RunAsync(requests[0]);
        else await exchange.WriteAsync(Body(asked, await RunAsync(asked, requests, exchange.Aborted), number, exchange));
    }

    /// <summary>Completions by prompt and seed; a few prompts at a time, so that a long list leaves slots to others.</summary>
    private async Task<Completion[][]> RunAsync(CompletionParameters asked, List<GenerationRequest> requests, CancellationToken aborted)
    {
        // Only the prompt is wanted back, and nothing of its tokens: there is nothing to run.
        if (asked is { MaxTokens: 0, Scores: false })
            return [.. requests
                .Select(request => request.Seeds.Select(seed => new Completion([], [], StopReason.Length, seed) { Text = "" }).ToArray())];
        var completions = new Completion[requests.Count][];
        var width = new ParallelOptions { MaxDegreeOfParallelism = model.PromptsAtOnce, CancellationToken = aborted };
        await Parallel.ForEachAsync(Enumerable.Range(0, requests.Count), width, async (index, cancellation) =>
            completions[index] = await model.CompleteAsync(requests[index], cancellation));
        return completions;
    }

    private CompletionBody Body(CompletionParameters asked, Completion[][] completions, long number, Exchange exchange)
    {
        var usage = new Usage(
            asked.Prompts.Sum(prompt => prompt.Tokens.Length), completions.Sum(each => each.Sum(completion => completion.Tokens.Count)));
        exchange.Count(usage);
        var choices = completions.SelectMany((each, prompt) => each.Select((completion, seed) =>
            Choice(asked, asked.Prompts[prompt], (prompt * asked.Settings.Count) + seed, completion)));
        return new CompletionBody(model.IdOf("cmpl", number), model.Created, model.Name, [.. choices], usage);
    }

    private CompletionChoice Choice(CompletionParameters asked, GivenPrompt prompt, int index, Completion completion)
    {
        CompletionLogProbabilityReader? reader = asked.Top is null ? null : new(model.Spelling, model.Encoder.Tokenizer);
        if (asked.Scores) reader?.AddPrompt(prompt.Tokens, completion.Prompt!);
        reader?.AddCompletion(completion);
        return new CompletionChoice(
            index, (asked.Echo ? prompt.Text : "") + completion.Text, reader?.Take(), AnsweringModel.FinishReason(completion.StopReason));
    }
}

/// <summary>
/// A completion as events. Log-probabilities come with their token; with alternatives asked for, all of them in the choice's last event,
/// since the engine gives alternatives at the end. One per request.
/// </summary>
internal sealed class CompletionStream(AnsweringModel model, Exchange exchange, CompletionParameters asked, string id, long created)
{
    private readonly CompletionLogProbabilityReader[] readers =
        [.. Enumerable.Range(0, asked.Settings.Count)
            .Select(_ => new CompletionLogProbabilityReader(model.Spelling, model.Encoder.Tokenizer))];

    private int completionTokens;

    public async Task RunAsync(GenerationRequest request)
    {
        var prompt = asked.Prompts[0];
        var events = asked.MaxTokens == 0 ? null : model.Stream(request, exchange.Aborted); // refused before anything is sent
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
                ended.SeedIndex, "", asked.Top > 0 ? reader.Take() : null, AnsweringModel.FinishReason(ended.Completion.StopReason)));
        }
    }

    private Task SendAsync(CompletionChoice choice) => exchange.SendAsync(new CompletionBody(id, created, model.Name, [choice]));
}
