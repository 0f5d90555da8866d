using System.Globalization;
using System.Runtime.CompilerServices;
using Distill.Generation;
using Distill.Tokenization;
using Microsoft.Extensions.AI;
using AIMessage = Microsoft.Extensions.AI.ChatMessage;
using ChatMessage = Distill.Tokenization.ChatMessage;

namespace Distill.Teacher;

/// <summary>
/// A local model as an <see cref="IChatClient"/>, e.g. an exported one:
/// <code>
/// using var model = OnnxTokenModel.Load(folder);
/// using var engine = new GenerationEngine(model);
/// using var client = new EngineChatClient(engine, ChatEncoder.Load(folder), "tiny-reasoner");
/// </code>
/// Thread-safe: all callers share the engine's running batch, so ask concurrently for throughput. The engine stays the caller's, and
/// <see cref="Dispose"/> does nothing. What the model thinks comes as <see cref="TextReasoningContent"/>; a response's raw representation
/// is the
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
    public EngineChatClient(
        GenerationEngine engine, ChatEncoder encoder, string modelName, SamplingOptions? defaults = null, ulong seed = 0)
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
    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<AIMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var request = Request(messages, options, Interlocked.Increment(ref requests));
        var completion = (await engine.CompleteAsync(request, cancellationToken).ConfigureAwait(false))[0];
        var text = new ReplyText(encoder.Tokenizer, [.. request.Prompt], _ => { }, request.Text!.StopStrings);
        int count = completion.StopReason == StopReason.StopToken ? completion.Tokens.Count - 1 : completion.Tokens.Count;
        foreach (int token in completion.Tokens.Take(count)) text.Push(token);
        text.End();
        AIContent[] contents = text.Reasoning.Length > 0
            ? [new TextReasoningContent(text.Reasoning), new TextContent(text.Answer)]
            : [new TextContent(text.Answer)];
        return new ChatResponse(new AIMessage(ChatRole.Assistant, contents))
        {
            ModelId = metadata.DefaultModelId, FinishReason = FinishReason(completion), Usage = Usage(request, completion),
            RawRepresentation = completion,
        };
    }

    /// <inheritdoc cref="GetResponseAsync"/>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<AIMessage> messages, ChatOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
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

    private GenerationRequest Request(IEnumerable<AIMessage> messages, ChatOptions? options, long number) => new()
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
        InputTokenCount = request.Prompt.Count, OutputTokenCount = completion.Tokens.Count,
        TotalTokenCount = request.Prompt.Count + completion.Tokens.Count,
    };
}

/// <summary>What a caller of <see cref="EngineChatClient"/> says, in the engine's words.</summary>
internal static class EngineChatOptions
{
    /// <summary>Instructions first; of an earlier reply its answer, not what was thought.</summary>
    /// <exception cref="NotSupportedException">A message is not text, or of a role that templates do not know.</exception>
    public static IReadOnlyList<ChatMessage> Messages(IEnumerable<AIMessage> messages, ChatOptions? options)
    {
        var read = messages.Select(Message);
        return [.. options?.Instructions is { Length: > 0 } instructions ? read.Prepend(ChatMessage.System(instructions)) : read];
    }

    /// <exception cref="NotSupportedException">An option that would change the reply and cannot be honoured.</exception>
    public static SamplingOptions Sampling(ChatOptions? options, SamplingOptions defaults)
    {
        if (options is null) return defaults;
        Refuse(options.FrequencyPenalty is not (null or 0), nameof(ChatOptions.FrequencyPenalty));
        Refuse(options.PresencePenalty is not (null or 0), nameof(ChatOptions.PresencePenalty));
        Refuse(options.ResponseFormat is not (null or ChatResponseFormatText), nameof(ChatOptions.ResponseFormat));
        Refuse(options.Tools is { Count: > 0 }, nameof(ChatOptions.Tools));
        Refuse(options.ConversationId is not null, nameof(ChatOptions.ConversationId));
        return defaults with
        {
            Temperature = options.Temperature is { } temperature ? Exactly(temperature) : defaults.Temperature,
            TopP = options.TopP is { } share ? Exactly(share) : defaults.TopP,
            TopK = options.TopK ?? defaults.TopK,
        };
    }

    // 0.7f is 0.699999988; the caller meant 0.7, and another interface says 0.7.
    private static double Exactly(float value) => double.Parse(value.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    private static ChatMessage Message(AIMessage message)
    {
        Refuse(
            message.Contents.Any(content => content is not (TextContent or TextReasoningContent or UsageContent)),
            "content that is not text");
        Refuse(
            message.Role != ChatRole.System && message.Role != ChatRole.User && message.Role != ChatRole.Assistant,
            $"the role '{message.Role}'");
        return new ChatMessage(message.Role.Value, message.Text);
    }

    private static void Refuse(bool given, string what)
    {
        if (given) throw new NotSupportedException($"A local model does not support {what}.");
    }
}
