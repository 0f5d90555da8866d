using System.Text;
using Distill.Client;
using Distill.Generation;
using Distill.Serving.Requests;
using Distill.Tokenization;

namespace Distill.Serving.Endpoints;

/// <summary>Tokens of one reply → what its caller is told of it, while it comes and in the end. One per reply; not thread-safe.</summary>
internal sealed class ReplyReader
{
    private readonly ReplyText text;
    private readonly ToolCallText? toolText; // null where the reply can have no calls
    private readonly bool parallel;
    private readonly List<ReplyPart> parts = [];
    private readonly List<ToolCall> calls = [];
    private readonly StringBuilder answer = new();

    /// <param name="number">The HTTP request's.</param>
    /// <param name="index">Which of its replies.</param>
    public ReplyReader(AnsweringModel model, ChatParameters asked, long number, int index)
    {
        string id = model.IdOf("call", number) + (index == 0 ? "" : $"-{index}");
        int count = 0;
        parallel = asked.Tools.Parallel;
        toolText = asked.Tools.CanCall ? new ToolCallText(model.Dialect!, Add, () => $"{id}-{count++}") : null;
        text = new ReplyText(
            model.Encoder.Tokenizer, asked.Prompt, piece => Push(piece), asked.Settings.StopStrings, asked.Settings.StopsInReasoning,
            toolText is null ? null : model.Dialect!.Marks);
    }

    public string Reasoning => text.Reasoning;

    public string Answer => answer.ToString();

    public IReadOnlyList<ToolCall> Calls => calls;

    public int ReasoningTokens => text.ReasoningTokens;

    /// <summary>The whole of a reply at once.</summary>
    public static ReplyReader Of(AnsweringModel model, ChatParameters asked, Completion completion, long number, int index)
    {
        var reader = new ReplyReader(model, asked, number, index);
        int count = completion.StopReason == StopReason.StopToken ? completion.Tokens.Count - 1 : completion.Tokens.Count;
        foreach (int token in completion.Tokens.Take(count)) reader.Push(token);
        reader.End();
        return reader;
    }

    /// <param name="token">Not the token that ended the reply.</param>
    public void Push(int token) => text.Push(token);

    /// <summary>The reply is over.</summary>
    public void End()
    {
        text.End();
        toolText?.End();
    }

    /// <summary>What came since the last call: characters of the reasoning or the answer, and calls, each whole.</summary>
    public ReplyPart[] Take()
    {
        ReplyPart[] taken = [.. parts];
        parts.Clear();
        return taken;
    }

    /// <summary>As chats call why a reply ended.</summary>
    public string FinishReason(StopReason reason) => reason == StopReason.Length ? "length" : calls.Count > 0 ? "tool_calls" : "stop";

    private void Push(in ReplyPiece piece)
    {
        if (toolText is null) Add(new ReplyPart(piece, null));
        else toolText.Push(piece);
    }

    private void Add(ReplyPart part)
    {
        if (part.Call is { } call)
        {
            if (calls.Count > 0 && !parallel) return; // the caller wants one
            calls.Add(call);
        }
        else if (!part.Piece.IsReasoning) answer.Append(part.Piece.Text);
        parts.Add(part);
    }
}
