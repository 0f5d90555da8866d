using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Distill.Client;
using Distill.Generation;
using Distill.Generation.Constraints;
using Distill.Serving.Protocol;
using Distill.Serving.Requests;
using Distill.Tokenization;

namespace Distill.Serving;

/// <summary>The model behind the endpoints, and what is the same for every request to it. Thread-safe.</summary>
internal sealed class AnsweringModel
{
    private readonly ModelServerOptions options;
    private readonly TimeProvider clock;
    private readonly OutputConstraints constraints;
    private readonly long started;
    private long requests;

    public AnsweringModel(GenerationEngine engine, ChatEncoder encoder, ModelServerOptions options, TimeProvider clock)
    {
        (Engine, Encoder, this.options, this.clock) = (engine, encoder, options, clock);
        Spelling = new TokenSpelling(encoder.Tokenizer);
        Dialect = encoder.HasTemplate ? ToolDialect.Of(encoder) : null;
        Prompts = new ChatPrompt(encoder, Dialect);
        constraints = new OutputConstraints(encoder.Tokenizer, Dialect);
        CanScore = TokenScorer.CanScore(engine.Model, engine.MaxLength);
        started = Created;
    }

    public GenerationEngine Engine { get; }

    public ChatEncoder Encoder { get; }

    public TokenSpelling Spelling { get; }

    /// <summary>How the model writes calls of tools; null where it knows none.</summary>
    public ToolDialect? Dialect { get; }

    public ChatPrompt Prompts { get; }

    public string Name => options.ModelName;

    public int PromptsAtOnce => options.PromptsAtOnce;

    /// <summary>Whether prompts can be scored; a graph that cannot would take the engine down with it.</summary>
    public bool CanScore { get; }

    /// <summary>Now, as responses say it: seconds since 1970.</summary>
    public long Created => clock.GetUtcNow().ToUnixTimeSeconds();

    public ModelEntry Entry => new(Name, started, Engine.MaxLength);

    /// <summary>The number of a request, unique until the server ends.</summary>
    public long NextNumber() => Interlocked.Increment(ref requests);

    public string IdOf(string kind, long number) => string.Create(CultureInfo.InvariantCulture, $"{kind}-{started:x}-{number}");

    /// <summary>A chat's request to the engine, checked.</summary>
    /// <inheritdoc cref="Request(GenerationSettings, int[], string, long, int, int, bool, ITokenConstraint?)"/>
    public GenerationRequest Request(ChatParameters asked, string parameter, long number)
    {
        var form = constraints.Of(asked.Format, asked.Tools);
        int most = asked.MaxTokens ?? int.MaxValue;
        return Request(asked.Settings, asked.Prompt, parameter, number, most, asked.Top ?? 0, scores: false, form);
    }

    /// <summary>One request to the engine, checked.</summary>
    /// <param name="parameter">Of the HTTP request; blamed for a prompt that cannot be read.</param>
    /// <param name="number">The HTTP request's; decides its seed where it brings none.</param>
    /// <exception cref="ApiException">The engine cannot serve it.</exception>
    public GenerationRequest Request(
        GenerationSettings settings, int[] prompt, string parameter, long number, int maxTokens, int top, bool scores,
        ITokenConstraint? constraint = null)
    {
        if (prompt.Length >= Engine.MaxLength)
            throw ApiException.Invalid(
                parameter, $"The prompt has {prompt.Length} tokens; this server reads {Engine.MaxLength} with the answer.",
                "context_length_exceeded");
        if (scores && !CanScore)
            throw ApiException.Invalid(
                "echo", "This model cannot report log-probabilities of the prompt: its graph gives the last position's logits only.",
                "unsupported_parameter");
        ulong seed = settings.Seed ?? SeedSequence.Derive(options.Seed, (ulong)number, 0);
        var request = new GenerationRequest
        {
            Prompt = prompt, MaxNewTokens = maxTokens, Sampling = settings.Sampling, TopLogProbabilities = top, ScorePrompt = scores,
            Constraint = constraint, StopTokens = settings.IgnoresEnd ? [] : Encoder.EndTokens,
            Text = new TextOutput(Encoder.Tokenizer, settings.StopStrings) { StopsInReasoning = settings.StopsInReasoning },
            Seeds =
                [.. Enumerable.Range(0, settings.Count).Select(index => index == 0 ? seed : SeedSequence.Derive(seed, (ulong)index, 1))],
        };
        try
        {
            request.Validate(Engine.Model.VocabularySize, Engine.MaxLength);
            return request;
        }
        catch (ArgumentException e)
        {
            throw ApiException.Invalid(
                e.Message.Contains("bias", StringComparison.OrdinalIgnoreCase) ? "logit_bias" : parameter, e.Message);
        }
    }

    /// <summary>What the engine makes of a request; refused before the first event is asked for.</summary>
    /// <exception cref="ModelFaultException">Now or between events: the engine failed.</exception>
    /// <exception cref="EngineBusyException">As many requests wait as may.</exception>
    public IAsyncEnumerable<GenerationEvent> Stream(GenerationRequest request, CancellationToken cancellation)
    {
        try
        {
            return Told(Engine.Stream(request, cancellation), cancellation);
        }
        catch (Exception fault) when (ModelFaultException.Is(fault))
        {
            throw new ModelFaultException(fault);
        }
    }

    /// <inheritdoc cref="Stream"/>
    public async Task<Completion[]> CompleteAsync(GenerationRequest request, CancellationToken cancellation)
    {
        try
        {
            return await Engine.CompleteAsync(request, cancellation);
        }
        catch (Exception fault) when (ModelFaultException.Is(fault))
        {
            throw new ModelFaultException(fault);
        }
    }

    /// <exception cref="ApiException">Another model is asked for.</exception>
    public void RequireNamed(RequestParameters parameters)
    {
        if (parameters.Text("model") is { } asked && asked != Name)
            throw new ApiException(
                404, "invalid_request_error", $"There is no model '{asked}' here; this server has '{Name}'.", "model", "model_not_found");
    }

    private static async IAsyncEnumerable<GenerationEvent> Told(
        IAsyncEnumerable<GenerationEvent> events, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await using var reading = events.GetAsyncEnumerator(cancellation);
        while (await NextAsync()) yield return reading.Current;

        async ValueTask<bool> NextAsync()
        {
            try
            {
                return await reading.MoveNextAsync();
            }
            catch (Exception fault) when (ModelFaultException.Is(fault))
            {
                throw new ModelFaultException(fault);
            }
        }
    }

    public static string FinishReason(StopReason reason) => reason == StopReason.Length ? "length" : "stop";
}

/// <summary>
/// Tokens as texts by which clients tell them apart: what a token adds to a text it stands within; <c>token_id:N</c> where it is only
/// part of a character or no text at all. Thread-safe.
/// </summary>
internal sealed class TokenSpelling(Tokenizer tokenizer)
{
    private readonly ConcurrentDictionary<int, (string Text, IReadOnlyList<int>? Bytes)> known = new();

    public string Of(int id) => Entry(id).Text;

    /// <summary>UTF-8; null where the token is no whole text.</summary>
    public IReadOnlyList<int>? BytesOf(int id) => Entry(id).Bytes;

    private (string Text, IReadOnlyList<int>? Bytes) Entry(int id) => known.GetOrAdd(id, Spell);

    private (string Text, IReadOnlyList<int>? Bytes) Spell(int id)
    {
        // Some decoders drop a blank at the start of a text; the second of two equal tokens keeps it.
        string text = tokenizer.Decode([id, id])[tokenizer.Decode([id]).Length..];
        return text.Length > 0 && !text.Contains('\uFFFD')
            ? (text, [.. Encoding.UTF8.GetBytes(text).Select(value => (int)value)])
            : (string.Create(CultureInfo.InvariantCulture, $"token_id:{id}"), null);
    }
}

/// <summary>
/// The engine failed at a request: the model's health suffers, which no other fault says anything of. What it is, the inner exception says.
/// </summary>
internal sealed class ModelFaultException(Exception fault) : Exception(fault.Message, fault)
{
    /// <summary>False for what ends a request of a model that works.</summary>
    public static bool Is(Exception fault) => fault is not (OperationCanceledException or EngineBusyException or ObjectDisposedException);
}
