using System.Text.Json;

namespace Distill.Tokenization;

/// <summary>
/// How a model is spoken to, whatever it is asked: a system message, and values for its template's own switches
/// (<c>enable_thinking</c>). It belongs to the <see cref="ChatEncoder"/>, so that every place that makes a prompt makes the same one.
/// Immutable.
/// </summary>
public sealed record PromptStyle
{
    /// <summary>Chats as they are, the template's own defaults.</summary>
    public static PromptStyle Plain { get; } = new();

    /// <summary>Put before every chat that does not begin with a system message of its own. Null, the default: nothing.</summary>
    public string? System { get; init; }

    /// <summary>Variables of the template, by name. Default: none.</summary>
    public IReadOnlyDictionary<string, JsonElement> TemplateOptions { get; init; } = new Dictionary<string, JsonElement>();

    internal IReadOnlyList<ChatMessage> Apply(IReadOnlyList<ChatMessage> messages) =>
        System is null || (messages.Count > 0 && messages[0].Role == "system") ? messages : [ChatMessage.System(System), .. messages];
}
