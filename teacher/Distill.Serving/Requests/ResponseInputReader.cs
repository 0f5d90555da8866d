using System.Text.Json;
using Distill.Tokenization;

namespace Distill.Serving.Requests;

/// <summary>
/// The input of <c>/v1/responses</c>, a text or items of a conversation, as the messages that a chat of the same content has: calls and the
/// reasoning before them belong to the assistant's message beside them.
/// </summary>
internal sealed class ResponseInputReader
{
    private const string Input = "input";
    private readonly List<Dictionary<string, object>> messages = [];
    private readonly Dictionary<string, string> called = []; // id of a call → function
    private string? reasoning; // of the assistant's message that comes next

    private ResponseInputReader()
    {
    }

    /// <param name="instructions">What the system says before it; null for nothing.</param>
    public static List<Dictionary<string, object>> Read(RequestParameters parameters, string? instructions)
    {
        var reader = new ResponseInputReader();
        if (instructions is not null) reader.Say("system", instructions);
        var input = parameters.Required(Input);
        if (input.ValueKind == JsonValueKind.String) reader.Say("user", input.GetString()!);
        else if (input.ValueKind == JsonValueKind.Array && input.GetArrayLength() > 0)
        {
            int index = 0;
            foreach (var item in input.EnumerateArray()) reader.Add(item, $"{Input}[{index++}]");
        }
        else throw parameters.Invalid(Input, "must be a string or an array of at least one item");
        if (reader.messages.Count == 0) throw parameters.Invalid(Input, "holds reasoning alone: it must hold a message or a call");
        return reader.messages;
    }

    private void Add(JsonElement value, string path)
    {
        var item = RequestParameters.Of(value, path);
        item.Ignore(AcceptedFields.Message);
        string type = item.Text("type") ?? "message";
        switch (type)
        {
            case "message": Message(item, path); break;
            case "function_call": Call(item); break;
            case "function_call_output": Result(item, path); break;
            case "reasoning": Reasoning(item, path); break;
            case "item_reference":
                throw item.Invalid("type", "is item_reference, but this server stores nothing; send the item itself");
            default:
                throw item.Invalid("type", "must be message, function_call, function_call_output or reasoning");
        }

        item.RefuseOthers();
    }

    private void Message(RequestParameters item, string path)
    {
        string role = item.RequiredText("role");
        if (role is not ("system" or "developer" or "user" or "assistant"))
            throw item.Invalid("role", "must be system, developer, user or assistant");
        string text = ChatMessageReader.TextOf(item.Required("content"), $"{path}.content", "input_text", "output_text", "text");
        // A message with calls may follow them, as templates know it only the other way round.
        Say(role == "developer" ? "system" : role, text);
    }

    private void Call(RequestParameters item)
    {
        string id = item.RequiredText("call_id"), name = item.RequiredText("name"), arguments = item.RequiredText("arguments");
        called[id] = name;
        if (messages.Count == 0 || messages[^1]["role"] is not "assistant") Say("assistant", "");
        else TakeReasoning();
        if (!messages[^1].TryGetValue("tool_calls", out object? calls)) messages[^1]["tool_calls"] = calls = new List<ToolCall>();
        ((List<ToolCall>)calls).Add(ChatMessageReader.Call(id, name, arguments));
    }

    private void Result(RequestParameters item, string path)
    {
        string id = item.RequiredText("call_id");
        if (!called.TryGetValue(id, out string? name))
            throw item.Invalid("call_id", $"is '{id}', which no function_call before it has");
        Say("tool", ChatMessageReader.TextOf(item.Required("output"), $"{path}.output", "input_text", "output_text", "text"));
        (messages[^1]["tool_call_id"], messages[^1]["name"]) = (id, name);
    }

    private void Reasoning(RequestParameters item, string path)
    {
        item.Ignore("encrypted_content", "summary", "content");
        string text = Parts("content", "reasoning_text");
        if (text.Length == 0) text = Parts("summary", "summary_text");
        reasoning = reasoning is null ? text : reasoning + text;

        string Parts(string name, string type) =>
            item.Raw(name) is { } parts ? ChatMessageReader.TextOf(parts, $"{path}.{name}", type) : "";
    }

    private void Say(string role, string text)
    {
        messages.Add(new Dictionary<string, object> { ["role"] = role, ["content"] = text });
        if (role == "assistant") TakeReasoning();
        else reasoning = null; // what it led to is not there, and a later message was thought of otherwise
    }

    /// <summary>The last message is the assistant's that the reasoning led to.</summary>
    private void TakeReasoning()
    {
        if (reasoning is not { Length: > 0 }) return;
        messages[^1]["reasoning_content"] =
            messages[^1].TryGetValue("reasoning_content", out object? before) ? before + reasoning : reasoning;
        reasoning = null;
    }
}
