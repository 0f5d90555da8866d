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
    private const string ForTools = "tool_use";
    private static readonly Dictionary<string, JsonElement> s_noVariables = [];

    private readonly Template _template;
    private readonly Template? _forTools;
    private readonly TimeProvider _clock;

    /// <param name="source">Jinja text.</param>
    /// <param name="clock">What templates see that print the date; the system's where null.</param>
    /// <exception cref="InvalidDataException">The text is not a template that can be interpreted.</exception>
    public ChatTemplate(string source, TimeProvider? clock = null)
        : this(source, forTools: null, clock)
    {
    }

    /// <param name="forTools">Takes the place of <paramref name="source"/> for chats with tools.</param>
    internal ChatTemplate(string source, string? forTools, TimeProvider? clock)
    {
        Source = source;
        _clock = clock ?? TimeProvider.System;
        _template = Parse(source);
        _forTools = forTools is null ? null : Parse(forTools);
        Digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(forTools is null ? source : $"{source}\0{forTools}")));
    }

    /// <summary>The Jinja text; of several templates, the default one's.</summary>
    public string Source { get; }

    /// <summary>SHA-256 (hex) of <see cref="Source"/>, and of the template for tools where there is one.</summary>
    public string Digest { get; }

    /// <summary>
    /// Reads chat_template.jinja and additional_chat_templates, else chat_template.json, else the <c>chat_template</c> of
    /// tokenizer_config.json. Of several templates the one named <c>default</c> is taken, and for chats with tools <c>tool_use</c>.
    /// </summary>
    /// <exception cref="InvalidDataException">The folder has none, or the template cannot be interpreted.</exception>
    public static ChatTemplate Load(string folder, TimeProvider? clock = null) => LoadOrNull(folder, clock)
        ?? throw new InvalidDataException(
            $"{folder}: no {TemplateFiles.JinjaName}, and no chat_template in tokenizer_config.json, or of several none named 'default'");

    /// <summary>The same; null where the folder has no template.</summary>
    internal static ChatTemplate? LoadOrNull(string folder, TimeProvider? clock = null)
    {
        var templates = TemplateFiles.Read(folder);
        return templates.TryGetValue(TemplateFiles.Default, out string? source)
            ? new ChatTemplate(source, templates.GetValueOrDefault(ForTools), clock)
            : null;
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
        For(variables).Render(context => ChatVariables.From(context, variables), _clock);

    internal RenderedText RenderMarked(
        IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt, IReadOnlyDictionary<string, JsonElement> variables) =>
        For(variables).Render(
        context =>
        [
            .. ChatVariables.From(context, variables),
            KeyValuePair.Create("messages", ChatVariables.Messages(context, messages)),
            KeyValuePair.Create<string, Value>("add_generation_prompt", Templates.Values.Boolean.Of(addGenerationPrompt)),
        ],
        _clock);

    private Template For(IReadOnlyDictionary<string, JsonElement> variables) =>
        _forTools is not null && variables.TryGetValue("tools", out var tools) && tools.ValueKind != JsonValueKind.Null
            ? _forTools
            : _template;

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
