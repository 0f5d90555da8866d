using System.Text.Json;
using Distill.Client;
using Distill.Serving.Protocol;
using Distill.Templates;
using Distill.Tokenization;

namespace Distill.Serving.Requests;

/// <summary>A conversation, the tools that the model is told of, and the template's switches → ids. Thread-safe.</summary>
/// <param name="dialect">How the model writes calls; null where it knows no tools.</param>
internal sealed class ChatPrompt(ChatEncoder encoder, ToolDialect? dialect)
{
    private const string Switches = "chat_template_kwargs", Calls = "tool_calls";

    /// <summary>The template's own switches, as a request gives them.</summary>
    public static Dictionary<string, JsonElement> SwitchesOf(RequestParameters parameters)
    {
        var variables = new Dictionary<string, JsonElement>();
        if (parameters.Raw(Switches) is not { } given) return variables;
        if (given.ValueKind != JsonValueKind.Object) throw parameters.Invalid(Switches, "must be an object");
        // Only switches: a text among the template's variables could say control tokens.
        foreach (var property in given.EnumerateObject())
        {
            if (property.Value.ValueKind is not (JsonValueKind.True or JsonValueKind.False or JsonValueKind.Number))
                throw ApiException.Invalid(Switches, $"'{Switches}.{property.Name}' must be true, false or a number.");
            variables[property.Name] = property.Value;
        }

        return variables;
    }

    /// <param name="parameter">Of the request; blamed for what the template refuses.</param>
    public int[] Render(
        IReadOnlyList<Dictionary<string, object>> messages, ToolParameters tools, Dictionary<string, JsonElement> variables,
        bool addGenerationPrompt, string parameter)
    {
        if (dialect is null && tools.CanCall) throw NoTools("tools");
        if (dialect is null && messages.Any(message => message.ContainsKey(Calls) || message["role"] is "tool")) throw NoTools(parameter);
        variables["add_generation_prompt"] = JsonSerializer.SerializeToElement(addGenerationPrompt);
        variables["messages"] = JsonSerializer.SerializeToElement(InStyle(messages).Select(Spelled));
        if (tools.CanCall) variables["tools"] = ToolDefinition.ForTemplate(tools.Tools);
        try
        {
            return encoder.Encode(variables);
        }
        catch (TemplateException e)
        {
            throw ApiException.Invalid(parameter, $"The model's chat template refuses this conversation: {e.Message}");
        }
    }

    /// <summary>As <see cref="PromptStyle"/> puts a chat to the model: with its system message and its examples.</summary>
    private IEnumerable<Dictionary<string, object>> InStyle(IReadOnlyList<Dictionary<string, object>> messages)
    {
        bool hasOwn = messages[0]["role"] is "system";
        if (hasOwn) yield return messages[0];
        else if (encoder.Style.System is { } system) yield return Message("system", system);
        foreach (var example in encoder.Style.Examples) yield return Message(example.Role, example.Content);
        foreach (var message in messages.Skip(hasOwn ? 1 : 0)) yield return message;

        static Dictionary<string, object> Message(string role, string content) => new() { ["role"] = role, ["content"] = content };
    }

    /// <summary>With calls as the template takes them, or as text for a template that does not.</summary>
    private Dictionary<string, object> Spelled(Dictionary<string, object> message)
    {
        if (!message.TryGetValue(Calls, out object? given)) return message;
        var calls = (List<ToolCall>)given;
        var spelled = new Dictionary<string, object>(message);
        if (dialect!.IsWrittenByTemplate)
        {
            spelled[Calls] = calls.Select(call =>
                new { id = call.Id, type = "function", function = new { name = call.Name, arguments = call.Arguments } });
            return spelled;
        }

        spelled.Remove(Calls);
        var texts = calls.Select(dialect.Spell).Prepend((string)message["content"]);
        spelled["content"] = string.Join('\n', texts.Where(text => text.Length > 0));
        return spelled;
    }

    private static ApiException NoTools(string parameter) => ApiException.Invalid(
        parameter, $"'{parameter}' has tools or calls of them, but this model's chat template knows no tools.", "unsupported_parameter");
}
