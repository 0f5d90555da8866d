using System.Text.Json;
using Distill.Generation;
using Distill.Generation.Constraints;
using Distill.Templates;
using Distill.Tokenization;
using Microsoft.Extensions.AI;
using AIMessage = Microsoft.Extensions.AI.ChatMessage;
using ChatMessage = Distill.Tokenization.ChatMessage;

namespace Distill.Client;

/// <summary>What the engine is asked for, and how its reply is to be read.</summary>
/// <param name="Ends">Tokens that end the reply and are no part of it.</param>
/// <param name="Dialect">How calls are written; null where there are none to read.</param>
internal sealed record ChatRequest(GenerationRequest Request, IReadOnlyList<int> Ends, ToolDialect? Dialect, bool ShowsReasoning);

/// <summary>Messages and options → a request of the engine. What cannot be honoured is refused by its name. Thread-safe.</summary>
internal sealed class ChatRequestReader(ChatEncoder encoder, string modelName, SamplingOptions defaults)
{
    private readonly Lazy<ToolDialect?> dialect = new(() => ToolDialect.Of(encoder));
    private readonly TemplateSwitches switches = new(encoder);
    private readonly ConstraintCache constraints = new(encoder.Tokenizer);

    /// <param name="client">Who is asked.</param>
    /// <param name="seed">Where the options name none.</param>
    /// <exception cref="NotSupportedException">Names what cannot be honoured.</exception>
    /// <exception cref="ArgumentException">Names what is impossible.</exception>
    public ChatRequest Read(IChatClient client, IEnumerable<AIMessage> messages, ChatOptions? options, ulong seed)
    {
        options ??= new ChatOptions();
        OptionReading.RefuseUnsupported(options, modelName);
        var more = AdditionalOptions.Read(options.AdditionalProperties);
        var tools = ToolChoice.Read(options);
        bool usesTools = tools.Tools.Count > 0;
        if (usesTools && dialect.Value is null)
            throw new NotSupportedException("This model's chat template knows no tools, or none in a form that can be read back: Tools.");
        var variables = new Dictionary<string, JsonElement>(more.TemplateVariables);
        switches.Apply(options.Reasoning?.Effort, variables);
        if (usesTools) variables["tools"] = ToolDefinition.ForTemplate(tools.Tools);

        var read = new MessageReading(usesTools ? dialect.Value : null, () => dialect.Value).Read(messages, options.Instructions);
        var (stopTokens, stopTexts) = Stops(options, usesTools);
        var request = new GenerationRequest
        {
            Prompt = Encode(read, variables),
            MaxNewTokens = options.MaxOutputTokens ?? int.MaxValue,
            Sampling = OptionReading.Sampling(client, options, more, defaults),
            StopTokens = stopTokens,
            Text = new TextOutput(encoder.Tokenizer, stopTexts) { StopsInReasoning = false },
            Seeds = [options.Seed is { } given ? unchecked((ulong)given) : seed],
            Constraint = Constraint(options, tools),
        };
        return new ChatRequest(
            request, stopTokens, usesTools ? dialect.Value : null, options.Reasoning?.Output is not ReasoningOutput.None);
    }

    private int[] Encode(IReadOnlyList<ChatMessage> messages, Dictionary<string, JsonElement> variables)
    {
        try
        {
            return encoder.EncodePrompt(messages, variables);
        }
        catch (TemplateException e)
        {
            throw new ArgumentException($"The model's chat template refuses these messages: {e.Message}", nameof(messages), e);
        }
    }

    /// <summary>Where one call is the most, its end is the reply's.</summary>
    private (IReadOnlyList<int> Tokens, IReadOnlyList<string> Texts) Stops(ChatOptions options, bool usesTools)
    {
        var texts = OptionReading.StopStrings(options);
        if (!usesTools || options.AllowMultipleToolCalls != false) return (encoder.EndTokens, texts);
        return dialect.Value! switch
        {
            { CloseToken: { } close } => ([.. encoder.EndTokens, close], texts),
            { Close.Length: > 0 } spelled => (encoder.EndTokens, [.. texts, spelled.Close]),
            { IsList: false } => (encoder.EndTokens, texts), // a call is the whole answer there
            _ => throw new NotSupportedException(
                "This model writes its calls as one list: AllowMultipleToolCalls of false is not supported."),
        };
    }

    private JsonConstraint? Constraint(ChatOptions options, ToolChoice tools)
    {
        string? format = options.ResponseFormat is ChatResponseFormatJson json ? json.Schema?.GetRawText() ?? "" : null;
        if (tools.Tools.Count == 0) return format is null ? null : constraints.OfFormat(format);
        if (tools.Required is null && format is null) return null;
        if (tools.Required is not null && format is not null)
            throw new NotSupportedException("A required tool leaves no reply that ResponseFormat could speak of.");
        return constraints.OfCalls(tools.Required ?? tools.Tools, format, dialect.Value!);
    }
}
