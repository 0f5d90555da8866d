using System.Security.Cryptography;
using System.Text.Json;
using System.Text;
using Distill.Templates.Values;
using Distill.Templates;
using Distill.Tokenization.Files;

namespace Distill.Tokenization;

/// <summary>
/// A chat template: Jinja text from a model folder, interpreted within bounds, without access to anything but its variables.
/// Immutable and thread-safe.
/// </summary>
public sealed class ChatTemplate
{
    private const string FileName = "chat_template.jinja";
    private static readonly Dictionary<string, JsonElement> s_noVariables = [];

    private readonly Template _template;
    private readonly TimeProvider _clock;

    /// <param name="source">Jinja text.</param>
    /// <param name="clock">What templates see that print the date; the system's where null.</param>
    /// <exception cref="InvalidDataException">The text is not a template that can be interpreted.</exception>
    public ChatTemplate(string source, TimeProvider? clock = null)
    {
        Source = source;
        _clock = clock ?? TimeProvider.System;
        _template = Parse(source);
        Digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(source)));
    }

    /// <summary>The Jinja text.</summary>
    public string Source { get; }

    /// <summary>SHA-256 (hex) of <see cref="Source"/>.</summary>
    public string Digest { get; }

    /// <summary>Reads chat_template.jinja, else the <c>chat_template</c> of tokenizer_config.json.</summary>
    /// <exception cref="InvalidDataException">The folder has neither, or the template cannot be interpreted.</exception>
    public static ChatTemplate Load(string folder, TimeProvider? clock = null) => LoadOrNull(folder, clock)
        ?? throw new InvalidDataException($"{folder}: no {FileName}, and no chat_template in tokenizer_config.json");

    /// <summary>The same; null where the folder has no template.</summary>
    internal static ChatTemplate? LoadOrNull(string folder, TimeProvider? clock = null)
    {
        if (File.Exists(Path.Combine(folder, FileName)))
            return BoundedFile.Read(folder, FileName, bytes => new ChatTemplate(Encoding.UTF8.GetString(bytes.Span), clock));
        return TokenizerConfig.Load(folder).ChatTemplate is { } source ? new ChatTemplate(source, clock) : null;
    }

    /// <summary>The text of a chat.</summary>
    /// <param name="addGenerationPrompt">End with what makes the assistant speak.</param>
    /// <exception cref="TemplateException">The template failed, refused the chat, or went beyond its bounds.</exception>
    public string Render(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt) =>
        RenderMarked(messages, addGenerationPrompt, s_noVariables).Value;

    /// <summary>
    /// The text of a chat given as JSON: <c>messages</c>, and where wanted <c>tools</c>, <c>documents</c>, <c>add_generation_prompt</c>,
    /// and whatever the template knows (<c>enable_thinking</c>).
    /// </summary>
    /// <exception cref="TemplateException">The template failed, refused the chat, or went beyond its bounds.</exception>
    public string Render(IReadOnlyDictionary<string, JsonElement> variables) => RenderMarked(variables).Value;

    /// <summary>The same, telling what came from messages from what the template wrote.</summary>
    internal RenderedText RenderMarked(IReadOnlyDictionary<string, JsonElement> variables) =>
        _template.Render(context => ChatVariables.From(context, variables), _clock);

    internal RenderedText RenderMarked(
        IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt, IReadOnlyDictionary<string, JsonElement> variables) =>
        _template.Render(
        context =>
        [
            .. ChatVariables.From(context, variables),
            KeyValuePair.Create("messages", ChatVariables.Messages(context, messages)),
            KeyValuePair.Create<string, Value>("add_generation_prompt", Templates.Values.Boolean.Of(addGenerationPrompt)),
        ],
        _clock);

    private static Template Parse(string source)
    {
        try
        {
            return Template.Parse(source);
        }
        catch (TemplateException e)
        {
            throw new InvalidDataException($"the chat template cannot be read: {e.Message}", e);
        }
    }
}
