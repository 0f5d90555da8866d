using System.Globalization;
using System.Text;
using Distill.Client;
using Distill.Serving.Protocol;
using Distill.Tokenization;

namespace Distill.Serving.Endpoints;

/// <summary>
/// Parts of a reply → the items of a response, and the events that tell of them, in the order that OpenAI documents. An item is open until
/// another kind of text, a call or the end comes. One per response; not thread-safe.
/// </summary>
internal sealed class ResponseAssembly(ResponseBody beginning, string itemId)
{
    private const string Completed = "completed";
    private readonly List<ResponseItem> items = [];
    private readonly List<ResponseEvent> events = [];
    private readonly StringBuilder text = new(); // of the open item
    private ResponseItem? open; // the last of the items
    private bool begun;
    private int number;

    /// <summary>As it stands.</summary>
    public ResponseBody Response { get; private set; } = beginning;

    private bool IsReasoning => open!.Type == "reasoning";

    private string PartType => IsReasoning ? "reasoning_text" : "output_text";

    /// <summary>Of the next event.</summary>
    public int NextNumber() => number++;

    /// <summary>Once: later calls do nothing.</summary>
    public void Begin()
    {
        if (begun) return;
        begun = true;
        Tell(new("response.created", NextNumber()) { Response = Response });
        Tell(new("response.in_progress", NextNumber()) { Response = Response });
    }

    public void Add(ReplyPart part)
    {
        if (part.Call is { } call)
        {
            AddCall(call);
            return;
        }

        var piece = part.Piece;
        if (open is null || IsReasoning != piece.IsReasoning) Open(piece.IsReasoning);
        text.Append(piece.Text);
        Tell(new($"response.{PartType}.delta", NextNumber())
        {
            ItemId = open!.Id, OutputIndex = items.Count - 1, ContentIndex = 0, Delta = piece.Text, Logprobs = IsReasoning ? null : [],
        });
    }

    /// <param name="cut">The reply's length ended it.</param>
    public void End(bool cut, ResponseUsage usage)
    {
        // Clients expect an answer, if only an empty one.
        if (!cut && !items.Any(item => item.Type is "message" or "function_call")) Open(isReasoning: false);
        Close(cut ? "incomplete" : Completed);
        Response = Response with
        {
            Status = cut ? "incomplete" : Completed, Output = [.. items], Usage = usage,
            IncompleteDetails = cut ? new IncompleteDetails("max_output_tokens") : null,
        };
        Tell(new(cut ? "response.incomplete" : "response.completed", NextNumber()) { Response = Response });
    }

    /// <summary>The events since the last call.</summary>
    public ResponseEvent[] Take()
    {
        ResponseEvent[] taken = [.. events];
        events.Clear();
        return taken;
    }

    private void Open(bool isReasoning)
    {
        Close(Completed);
        open = isReasoning ? new ResponseItem(NextId("rs"), "reasoning", "in_progress") { Summary = [], Content = [] }
            : new ResponseItem(NextId("msg"), "message", "in_progress") { Role = "assistant", Content = [] };
        items.Add(open);
        Tell(new("response.output_item.added", NextNumber()) { OutputIndex = items.Count - 1, Item = open });
        Tell(new("response.content_part.added", NextNumber())
        {
            ItemId = open.Id, OutputIndex = items.Count - 1, ContentIndex = 0, Part = new ResponsePart(PartType, ""),
        });
    }

    private void Close(string status)
    {
        if (open is null) return;
        int index = items.Count - 1;
        var part = new ResponsePart(PartType, text.ToString());
        Tell(new($"response.{PartType}.done", NextNumber())
        {
            ItemId = open.Id, OutputIndex = index, ContentIndex = 0, Text = part.Text, Logprobs = part.Logprobs,
        });
        Tell(new("response.content_part.done", NextNumber()) { ItemId = open.Id, OutputIndex = index, ContentIndex = 0, Part = part });
        items[index] = open with { Status = status, Content = [part] };
        Tell(new("response.output_item.done", NextNumber()) { OutputIndex = index, Item = items[index] });
        text.Clear();
        open = null;
    }

    private void AddCall(ToolCall call)
    {
        string arguments = call.Arguments.GetRawText();
        Close(Completed);
        var item = new ResponseItem(NextId("fc"), "function_call", "in_progress")
        {
            CallId = call.Id, Name = call.Name, Arguments = "",
        };
        items.Add(item);
        int index = items.Count - 1;
        Tell(new("response.output_item.added", NextNumber()) { OutputIndex = index, Item = item });
        Tell(new("response.function_call_arguments.delta", NextNumber())
        {
            ItemId = item.Id, OutputIndex = index, Delta = arguments,
        });
        Tell(new("response.function_call_arguments.done", NextNumber())
        {
            ItemId = item.Id, OutputIndex = index, Name = call.Name, Arguments = arguments,
        });
        items[index] = item with { Status = Completed, Arguments = arguments };
        Tell(new("response.output_item.done", NextNumber()) { OutputIndex = index, Item = items[index] });
    }

    private string NextId(string kind) => string.Create(CultureInfo.InvariantCulture, $"{kind}_{itemId}-{items.Count}");

    private void Tell(ResponseEvent happened) => events.Add(happened);
}
