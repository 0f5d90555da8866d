using System.Globalization;
using System.Numerics;
using System.Text.Json;
using Distill.Templates.Runtime;
using Distill.Templates.Values;

namespace Distill.Tokenization;

/// <summary>
/// Turns what a program hands to a template into its values. Only texts that the program vouches for count as the template's own.
/// </summary>
internal static class ChatVariables
{
    // Always there, as in transformers; null where not given.
    private static readonly string[] s_always = ["messages", "tools", "documents", "add_generation_prompt"];
    private static readonly string[] s_foreign = ["messages", "tools", "documents"];

    public static IEnumerable<KeyValuePair<string, Value>> From(RenderContext context, IReadOnlyDictionary<string, JsonElement> variables)
    {
        foreach (string name in s_always)
            if (!variables.ContainsKey(name)) yield return KeyValuePair.Create<string, Value>(name, None.Instance);
        foreach (var (name, value) in variables)
            yield return KeyValuePair.Create(name, name == "messages"
                ? Messages(context, value)
                : From(context, value, s_foreign.Contains(name)));
    }

    public static Value Messages(RenderContext context, IReadOnlyList<ChatMessage> messages) =>
        context.List([.. messages.Select(message => (Value)context.Mapping(Members(context, message)))]);

    // As in transformers, a member without a value is absent.
    private static IEnumerable<KeyValuePair<Value, Value>> Members(RenderContext context, ChatMessage message)
    {
        yield return Member("role", Text.Own(message.Role));
        yield return Member("content", Text.FromMessages(message.Content));
        if (message.ToolCalls.Count > 0)
            yield return Member("tool_calls", context.List([.. message.ToolCalls.Select(call => (Value)Call(context, call))]));
        if (message.ToolCallId is { } id) yield return Member("tool_call_id", Text.FromMessages(id));
        if (message.Name is { } name) yield return Member("name", Text.FromMessages(name));
    }

    private static Mapping Call(RenderContext context, ToolCall call) => context.Mapping(
    [
        Member("id", Text.FromMessages(call.Id)),
        Member("type", Text.Own("function")),
        Member("function", context.Mapping(
        [
            Member("name", Text.FromMessages(call.Name)), Member("arguments", From(context, call.Arguments, foreign: true)),
        ])),
    ]);

    private static KeyValuePair<Value, Value> Member(string name, Value value) => KeyValuePair.Create<Value, Value>(Text.Own(name), value);

    /// <summary>In messages only a role that is a plain name is trusted; it becomes part of control tokens.</summary>
    private static Value Messages(RenderContext context, JsonElement messages) => messages.ValueKind != JsonValueKind.Array
        ? From(context, messages, foreign: true)
        : context.List([.. messages.EnumerateArray().Select(m => m.ValueKind == JsonValueKind.Object
            ? Message(context, m)
            : From(context, m, foreign: true))]);

    private static Mapping Message(RenderContext context, JsonElement message) =>
        context.Mapping(message.EnumerateObject().Select(p => KeyValuePair.Create<Value, Value>(
            TextOf(p.Name, foreign: !ChatMessage.IsRole(p.Name)), From(context, p.Value, foreign: !IsTrustedRole(p)))));

    private static bool IsTrustedRole(JsonProperty property) =>
        property.Name == "role" && property.Value.ValueKind == JsonValueKind.String && ChatMessage.IsRole(property.Value.GetString()!);

    private static Value From(RenderContext context, JsonElement element, bool foreign) => element.ValueKind switch
    {
        JsonValueKind.Object =>
            context.Mapping(element.EnumerateObject().Select(p =>
                KeyValuePair.Create<Value, Value>(TextOf(p.Name, foreign), From(context, p.Value, foreign)))),
        JsonValueKind.Array => context.List([.. element.EnumerateArray().Select(item => From(context, item, foreign))]),
        JsonValueKind.String => TextOf(element.GetString()!, foreign),
        JsonValueKind.Number => NumberOf(element),
        JsonValueKind.True => Templates.Values.Boolean.True,
        JsonValueKind.False => Templates.Values.Boolean.False,
        _ => None.Instance,
    };

    private static Text TextOf(string text, bool foreign) => foreign ? Text.FromMessages(text) : Text.Own(text);

    private static Value NumberOf(JsonElement element)
    {
        string text = element.GetRawText();
        return text.Length < 100 && BigInteger.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole)
            ? new Integer(whole)
            : new Float(element.GetDouble());
    }
}
