using System.Text.Json;

namespace Distill.Tokenization;

/// <summary>One message of a chat. The role is the program's and becomes part of control tokens; the content is never trusted.</summary>
public sealed record ChatMessage
{
    private const int LongestRole = 32;

    /// <param name="role"><c>system</c>, <c>user</c> or <c>assistant</c>; templates may know more.</param>
    /// <param name="content">What is said. Control tokens written in it stay text.</param>
    /// <exception cref="ArgumentException">The role is not a plain name: 1 to 32 ASCII letters, digits, '_' or '-'.</exception>
    public ChatMessage(string role, string content)
    {
        if (!IsRole(role))
            throw new ArgumentException($"'{role}' is no role: 1 to {LongestRole} ASCII letters, digits, '_' or '-' are", nameof(role));
        Role = role;
        Content = content;
    }

    public string Role { get; }

    public string Content { get; }

    /// <summary>Of the assistant: the tools that it called here. Default: none.</summary>
    public IReadOnlyList<ToolCall> ToolCalls { get; init; } = [];

    /// <summary>Of a tool: which call it answers.</summary>
    public string? ToolCallId { get; init; }

    /// <summary>Of a tool: its name.</summary>
    public string? Name { get; init; }

    public static ChatMessage System(string content) => new("system", content);

    public static ChatMessage User(string content) => new("user", content);

    public static ChatMessage Assistant(string content) => new("assistant", content);

    /// <summary>What a called tool gave.</summary>
    public static ChatMessage Tool(string content, string callId, string? name) =>
        new("tool", content) { ToolCallId = callId, Name = name };

    internal static bool IsRole(string role) =>
        role.Length is > 0 and <= LongestRole && role.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-');
}

/// <summary>An assistant's call of a tool. Nothing of it is trusted: its texts never become control tokens.</summary>
/// <param name="Arguments">An object.</param>
public sealed record ToolCall(string Id, string Name, JsonElement Arguments);

/// <summary>
/// How a model is spoken to, whatever it is asked: a system message, solved examples, and values for its template's own switches
/// (<c>enable_thinking</c>). It belongs to the <see cref="ChatEncoder"/>, so that every place that makes a prompt makes the same one.
/// Immutable.
/// </summary>
public sealed record PromptStyle
{
    /// <summary>Chats as they are, the template's own defaults.</summary>
    public static PromptStyle Plain { get; } = new();

    /// <summary>Put before every chat that does not begin with a system message of its own. Null, the default: nothing.</summary>
    public string? System { get; init; }

    /// <summary>
    /// Turns of user and assistant, put before every chat and after its system message. Default: none.
    /// </summary>
    public IReadOnlyList<ChatMessage> Examples { get; init; } = [];

    /// <summary>Variables of the template, by name. Default: none.</summary>
    public IReadOnlyDictionary<string, JsonElement> TemplateOptions { get; init; } = new Dictionary<string, JsonElement>();

    /// <summary>Whether chats are put to the model as they are.</summary>
    internal bool IsPlain => System is null && Examples.Count == 0 && TemplateOptions.Count == 0;

    internal IReadOnlyList<ChatMessage> Apply(IReadOnlyList<ChatMessage> messages)
    {
        bool hasOwn = messages.Count > 0 && messages[0].Role == "system";
        if (Examples.Count == 0) return System is null || hasOwn ? messages : [ChatMessage.System(System), .. messages];
        return (hasOwn, System) switch
        {
            (true, _) => [messages[0], .. Examples, .. messages.Skip(1)],
            (_, null) => [.. Examples, .. messages],
            _ => [ChatMessage.System(System), .. Examples, .. messages],
        };
    }
}

/// <summary>The added tokens between which a reply reasons.</summary>
public static class ThinkMarks
{
    public const string Open = "<think>";
    public const string Close = "</think>";

    /// <summary>The id of a mark; −1 where it is no token of its own, so that text which spells it is never taken for it.</summary>
    internal static int IdIn(Tokenizer tokenizer, string mark) => tokenizer.IdOf(mark) is { } id && tokenizer.IsAdded(id) ? id : -1;
}
