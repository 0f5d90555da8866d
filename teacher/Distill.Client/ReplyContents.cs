using System.Globalization;
using System.Text.Json;
using Distill.Generation;
using Distill.Tokenization;
using Microsoft.Extensions.AI;

namespace Distill.Client;

/// <summary>What happens to a request → contents of its response, in order. One per response; not thread-safe.</summary>
internal sealed class ReplyContents
{
    private readonly ChatRequest asked;
    private readonly ReplyText text;
    private readonly ToolCallText? tools;
    private readonly List<AIContent> contents = [];

    /// <param name="name">Of the response: ids of its calls follow from it.</param>
    public ReplyContents(Tokenizer tokenizer, ChatRequest asked, string name)
    {
        this.asked = asked;
        int calls = 0;
        if (asked.Dialect is { } dialect) tools = new ToolCallText(dialect, Add, () => CallId(name, calls++));
        var output = asked.Request.Text!;
        text = new ReplyText(
            tokenizer, [.. asked.Request.Prompt], piece => (tools is null ? (Action<ReplyPiece>)(each => Add(new ReplyPart(each, null)))
                : each => tools.Push(each))(piece), output.StopStrings, output.StopsInReasoning, asked.Dialect?.Marks);
    }

    /// <returns>Contents that are certain now; valid until the next call.</returns>
    public IReadOnlyList<AIContent> Take(GenerationEvent happened)
    {
        contents.Clear();
        if (happened is TokenGenerated token && !asked.Ends.Contains(token.Choice.Token)) text.Push(token.Choice.Token);
        if (happened is not CompletionEnded) return contents;
        text.End();
        tools?.End();
        return contents;
    }

    public UsageDetails Usage(Completion completion) => new()
    {
        InputTokenCount = asked.Request.Prompt.Count,
        OutputTokenCount = completion.Tokens.Count,
        TotalTokenCount = asked.Request.Prompt.Count + completion.Tokens.Count,
        ReasoningTokenCount = text.ReasoningTokens,
    };

    public ChatFinishReason FinishReason(Completion completion) =>
        completion.StopReason == StopReason.Length ? ChatFinishReason.Length
        : tools is { Calls: > 0 } ? ChatFinishReason.ToolCalls : ChatFinishReason.Stop;

    private void Add(ReplyPart part)
    {
        if (part.Call is { } call) contents.Add(new FunctionCallContent(call.Id, call.Name, ArgumentsOf(call)));
        else if (!part.Piece.IsReasoning) contents.Add(new TextContent(part.Piece.Text));
        else if (asked.ShowsReasoning) contents.Add(new TextReasoningContent(part.Piece.Text));
    }

    private static Dictionary<string, object?> ArgumentsOf(ToolCall call)
    {
        var arguments = new Dictionary<string, object?>();
        foreach (var argument in call.Arguments.EnumerateObject())
            arguments[argument.Name] = argument.Value.ValueKind == JsonValueKind.Null ? null : argument.Value;
        return arguments;
    }

    /// <summary>Nine letters and digits, which is what the strictest templates want.</summary>
    private static string CallId(string response, int call)
    {
        const string letters = "0123456789abcdefghijklmnopqrstuvwxyz";
        ulong state = 14695981039346656037; // FNV-1a over the name and the number
        foreach (char c in $"{response}-{call.ToString(CultureInfo.InvariantCulture)}") state = (state ^ c) * 1099511628211;
        return string.Create(9, state, (span, rest) =>
        {
            for (int i = 0; i < span.Length; i++, rest /= 36) span[i] = letters[(int)(rest % 36)];
        });
    }
}
