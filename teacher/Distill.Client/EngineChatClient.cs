using System.Globalization;
using System.Runtime.CompilerServices;
using Distill.Generation;
using Distill.Tokenization;
using Microsoft.Extensions.AI;
using AIMessage = Microsoft.Extensions.AI.ChatMessage;

namespace Distill.Client;

/// <summary>
/// A local model as an <see cref="IChatClient"/>, e.g. an exported one:
/// <code>
/// using var model = OnnxTokenModel.Load(folder);
/// using var engine = new GenerationEngine(model);
/// using var client = new EngineChatClient(engine, ChatEncoder.Load(folder), "tiny-reasoner");
/// </code>
/// Thread-safe: all callers share the engine's running batch, so ask concurrently for throughput. The engine stays the caller's, and
/// <see cref="Dispose"/> does nothing; when the engine is disposed, calls in progress end with <see cref="ObjectDisposedException"/>. What
/// the model thinks comes as <see cref="TextReasoningContent"/>, its calls of tools as <see cref="FunctionCallContent"/>; a response's raw
/// representation is the <see cref="Completion"/>, with its tokens and their log-probabilities. A whole response has the contents of a
/// streamed one. An option that cannot be honoured is refused, not ignored; <c>docs/structured-output.md</c> says which there are.
/// </summary>
public sealed class EngineChatClient : IChatClient
{
    private readonly GenerationEngine engine;
    private readonly ChatEncoder encoder;
    private readonly ChatClientMetadata metadata;
    private readonly ChatRequestReader reader;
    private readonly TimeProvider clock;
    private readonly ulong seed;
    private readonly string started;
    private long requests;

    /// <param name="modelName">The only <see cref="ChatOptions.ModelId"/> that requests may name.</param>
    /// <param name="defaults">Where the options of a request say nothing; default: greedy.</param>
    /// <param name="seed">Seeds of requests that bring none follow from this and their number.</param>
    /// <param name="clock">Tells when responses were made; default: the system's.</param>
    /// <exception cref="InvalidDataException">The tokenizer is not the model's.</exception>
    public EngineChatClient(
        GenerationEngine engine, ChatEncoder encoder, string modelName, SamplingOptions? defaults = null, ulong seed = 0,
        TimeProvider? clock = null)
    {
        VocabularyCheck.Require(encoder.Tokenizer, engine.Model);
        this.engine = engine;
        this.encoder = encoder;
        this.seed = seed;
        this.clock = clock ?? TimeProvider.System;
        started = this.clock.GetUtcNow().UtcTicks.ToString("x", CultureInfo.InvariantCulture);
        reader = new ChatRequestReader(encoder, modelName, defaults ?? SamplingOptions.Greedy);
        metadata = new ChatClientMetadata("distill", defaultModelId: modelName);
    }

    /// <exception cref="NotSupportedException">An option or content that cannot be honoured; names it.</exception>
    /// <exception cref="ArgumentException">
    /// The prompt is too long, an option impossible, or a message is no text or not what the model's template takes; names it.
    /// </exception>
    /// <exception cref="EngineBusyException">Too many requests wait already.</exception>
    /// <exception cref="ObjectDisposedException">The engine was disposed, perhaps meanwhile.</exception>
    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<AIMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        Completion? completion = null;
        var updates = new List<ChatResponseUpdate>();
        await foreach (var update in GetStreamingResponseAsync(messages, options, cancellationToken).ConfigureAwait(false))
        {
            completion = update.RawRepresentation as Completion ?? completion;
            updates.Add(update);
        }

        var response = updates.ToChatResponse();
        response.RawRepresentation = completion;
        return response;
    }

    /// <inheritdoc cref="GetResponseAsync"/>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<AIMessage> messages, ChatOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        long number = Interlocked.Increment(ref requests);
        var asked = reader.Read(this, messages, options, SeedSequence.Derive(seed, (ulong)number, 0));
        var reply = new ReplyContents(encoder.Tokenizer, asked, $"{started}-{number}");
        string id = $"distill-{started}-{number}";
        var made = clock.GetUtcNow();
        await foreach (var happened in engine.Stream(asked.Request, cancellationToken).ConfigureAwait(false))
        {
            foreach (var content in reply.Take(happened)) yield return Update(content);
            if (happened is not CompletionEnded ended) continue;
            var last = Update(new UsageContent(reply.Usage(ended.Completion)));
            last.FinishReason = reply.FinishReason(ended.Completion);
            last.RawRepresentation = ended.Completion;
            yield return last;
        }

        ChatResponseUpdate Update(AIContent content) => new(ChatRole.Assistant, [content])
        {
            ModelId = metadata.DefaultModelId, ResponseId = id, MessageId = id, CreatedAt = made,
        };
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(ChatClientMetadata) ? metadata
            : serviceType.IsInstanceOfType(this) ? this : serviceType.IsInstanceOfType(engine) ? engine : null;
    }

    public void Dispose()
    {
        // The engine is the caller's.
    }
}
