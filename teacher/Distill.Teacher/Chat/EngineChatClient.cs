using System.Runtime.CompilerServices;
using Distill.Generation;
using Distill.Tokenization;
using Microsoft.Extensions.AI;
using ChatMessage = Microsoft.Extensions.AI.ChatMessage;

namespace Distill.Teacher;

/// <summary>
/// A local model as an <see cref="IChatClient"/>, e.g. an exported one:
/// <code>
/// using var model = OnnxTokenModel.Load(folder);
/// using var engine = new GenerationEngine(model);
/// using var client = new EngineChatClient(engine, ChatEncoder.Load(folder), "tiny-reasoner");
/// </code>
/// Thread-safe: all callers share the engine's running batch, so ask concurrently for throughput. The engine stays the caller's, and
/// <see cref="Dispose"/> does nothing. What the model thinks comes as <see cref="TextReasoningContent"/>; a response's raw representation is the
/// <see cref="Completion"/>, with its tokens and their log-probabilities. An option that cannot be honoured is refused, not ignored.
/// </summary>
public sealed class EngineChatClient : IChatClient
{
    private readonly GenerationEngine engine;
    private readonly ChatEncoder encoder;
    private readonly ChatClientMetadata metadata;
    private readonly SamplingOptions defaults;
    private readonly ulong seed;
    private long requests;

    /// <param name="defaults">Where the options of a request say nothing; default: greedy.</param>
    /// <param name="seed">Seeds of requests that bring none follow from this and their number.</param>
    /// <exception cref="InvalidDataException">The tokenizer is not the model's.</exception>
    public EngineChatClient(GenerationEngine engine, ChatEncoder encoder, string modelName, SamplingOptions? defaults = null, ulong seed = 0)
    {
        VocabularyCheck.Require(encoder.Tokenizer, engine.Model);
        this.engine = engine;
        this.encoder = encoder;
        this.defaults = defaults ?? SamplingOptions.Greedy;
        this.seed = seed;
        metadata = new ChatClientMetadata("distill", defaultModelId: modelName);
    }

    /// <exception cref="NotSupportedException">An option or content that cannot be honoured.</exception>
    /// <exception cref="ArgumentException">The prompt is too long, or an option impossible.</exception>
    /// <exception cref="EngineBusyException">Too many requests wait already.</exception>
    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var request = Request(messages, options, Interlocked.Increment(ref requests));
        var completion = (await engine.CompleteAsync(request, cancellationToken).ConfigureAwait(false))[0];
        var text = new ReplyText(encoder.Tokenizer, [.. request.Prompt], _ => { }, request.Text!.StopStrings);
        int count = completion.StopReason == StopReason.StopToken ? completion.Tokens.Count - 1 : completion.Tokens.Count;
        foreach (int token in completion.Tokens.Take(count)) text.Push(token);
        text.End();
        AIContent[] contents = text.Reasoning.Length > 0 ? [new TextReasoningContent(text.Reasoning), new TextContent(text.Answer)] : [new TextContent(text.Answer)];
        return new ChatResponse(new ChatMessage(ChatRole.Assistant, contents))
        {
            ModelId = metadata.DefaultModelId, FinishReason = FinishReason(completion), Usage = Usage(request, completion), RawRepresentation = completion,
        };
    }

    /// <inheritdoc cref="GetResponseAsync"/>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        long number = Interlocked.Increment(ref requests);
        var request = Request(messages, options, number);
        string id = $"distill-{number}";
        var pieces = new List<ReplyPiece>();
        var text = new ReplyText(encoder.Tokenizer, [.. request.Prompt], pieces.Add, request.Text!.StopStrings);
        await foreach (var happened in engine.Stream(request, cancellationToken).ConfigureAwait(false))
        {
            if (happened is TokenGenerated token && !request.StopTokens.Contains(token.Choice.Token)) text.Push(token.Choice.Token);
            if (happened is CompletionEnded) text.End();
            foreach (var piece in pieces)
                yield return Update(id, piece.IsReasoning ? new TextReasoningContent(piece.Text) : new TextContent(piece.Text));
            pieces.Clear();
            if (happened is not CompletionEnded ended) continue;
            var last = Update(id, new UsageContent(Usage(request, ended.Completion)));
            last.FinishReason = FinishReason(ended.Completion);
            last.RawRepresentation = ended.Completion;
            yield return last;
        }
    }

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceKey is not null ? null
        : serviceType == typeof(ChatClientMetadata) ? metadata
        : serviceType.IsInstanceOfType(this) ? this : serviceType.IsInstanceOfType(engine) ? engine : null;

    public void Dispose()
    {
        // The engine is the caller's.
    }

    private GenerationRequest Request(IEnumerable<ChatMessage> messages, ChatOptions? options, long number) => new()
    {
        Prompt = encoder.EncodePrompt(EngineChatOptions.Messages(messages, options)),
        MaxNewTokens = options?.MaxOutputTokens ?? int.MaxValue,
        Sampling = EngineChatOptions.Sampling(options, defaults),
        StopTokens = encoder.EndTokens,
        Text = new TextOutput(encoder.Tokenizer, options?.StopSequences is { } stops ? [.. stops] : []),
        Seeds = [options?.Seed is { } given ? unchecked((ulong)given) : SeedSequence.Derive(seed, (ulong)number, 0)],
    };

    private ChatResponseUpdate Update(string id, AIContent content) =>
        new(ChatRole.Assistant, [content]) { ModelId = metadata.DefaultModelId, ResponseId = id, MessageId = id };

    private static ChatFinishReason FinishReason(Completion completion) =>
        completion.StopReason == StopReason.Length ? ChatFinishReason.Length : ChatFinishReason.Stop;

    private static UsageDetails Usage(GenerationRequest request, Completion completion) => new()
    {
        InputTokenCount = request.Prompt.Count, OutputTokenCount = completion.Tokens.Count, TotalTokenCount = request.Prompt.Count + completion.Tokens.Count,
    };
}
