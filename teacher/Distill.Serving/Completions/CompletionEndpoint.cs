using Distill.Generation;
using Distill.Serving.Http;
using Distill.Serving.Protocol;
using Distill.Serving.Requests;

namespace Distill.Serving.Completions;

/// <summary><c>/v1/completions</c>: texts or ids continued as they are, with what the model thinks of them. Thread-safe.</summary>
internal sealed class CompletionEndpoint(ServedModel model)
{
    public async Task AnswerAsync(Exchange exchange)
    {
        var parameters = new RequestParameters(await exchange.ReadBodyAsync());
        model.RequireNamed(parameters);
        var asked = CompletionParameters.Read(parameters, model.Encoder.Tokenizer);
        long number = model.NextNumber();
        var requests = asked.Prompts.Select(prompt => model.Request(
            asked.Settings, prompt.Tokens, "prompt", number, Math.Max(asked.MaxTokens, asked.Scores ? 0 : 1), asked.Top ?? 0, asked.Scores)).ToList();
        if (asked.Settings.Stream) await new CompletionStream(model, exchange, asked, model.IdOf("cmpl", number), model.Created).RunAsync(requests[0]);
        else await exchange.WriteAsync(Body(asked, await RunAsync(asked, requests, exchange.Aborted), number, exchange));
    }

    /// <summary>Completions by prompt and seed; a few prompts at a time, so that a long list leaves slots to others.</summary>
    private async Task<Completion[][]> RunAsync(CompletionParameters asked, List<GenerationRequest> requests, CancellationToken aborted)
    {
        // Only the prompt is wanted back, and nothing of its tokens: there is nothing to run.
        if (asked is { MaxTokens: 0, Scores: false })
            return [.. requests.Select(request => request.Seeds.Select(seed => new Completion([], [], StopReason.Length, seed) { Text = "" }).ToArray())];
        var completions = new Completion[requests.Count][];
        var width = new ParallelOptions { MaxDegreeOfParallelism = model.PromptsAtOnce, CancellationToken = aborted };
        await Parallel.ForEachAsync(Enumerable.Range(0, requests.Count), width, async (index, cancellation) =>
            completions[index] = await model.Engine.CompleteAsync(requests[index], cancellation));
        return completions;
    }

    private CompletionBody Body(CompletionParameters asked, Completion[][] completions, long number, Exchange exchange)
    {
        var usage = new Usage(asked.Prompts.Sum(prompt => prompt.Tokens.Length), completions.Sum(each => each.Sum(completion => completion.Tokens.Count)));
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
        return new CompletionChoice(index, (asked.Echo ? prompt.Text : "") + completion.Text, reader?.Take(), ServedModel.FinishReason(completion.StopReason));
    }
}
