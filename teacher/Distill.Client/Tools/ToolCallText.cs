using System.Text;
using System.Text.Json;
using Distill.Tokenization;

namespace Distill.Client;

/// <summary>
/// Pieces of a reply → text and calls of tools, in order. Text goes on as it comes, a call when it is whole; what looks like a call and is
/// none is text. Blanks around calls belong to them. One per reply; not thread-safe.
/// </summary>
/// <param name="given">Gets reasoning, text of the answer, and calls.</param>
/// <param name="newId">Ids for calls, one after another.</param>
internal sealed class ToolCallText(ToolDialect dialect, Action<ReplyPart> given, Func<string> newId)
{
    // How an object that is the whole answer begins where it is a call.
    private static readonly string[] s_begins = ["{\"name\":", "{\"parameters\":", "{\"arguments\":", "{\"type\":"];

    private readonly StringBuilder call = new(); // since the call's opening
    private string held = "";                    // may become the opening
    private string blanks = "";                  // before what may be a call
    private bool calling, begun, isAfterCall;

    /// <summary>Calls so far.</summary>
    public int Calls { get; private set; }

    private bool IsWholeAnswer => dialect.Open.Length == 0;

    public void Push(in ReplyPiece piece)
    {
        if (piece.IsReasoning) given(new ReplyPart(piece, null));
        else if (piece.IsMark) Mark(piece.Text);
        else if (calling) InCall(piece.Text);
        else InText(piece.Text);
    }

    /// <summary>The reply is over: a call without its end is a call if it is whole.</summary>
    public void End()
    {
        Show(held);
        if (calling) EndCall("");
        Give(blanks);
        held = blanks = "";
    }

    private void Mark(string mark)
    {
        Show(held);
        held = "";
        if (!calling && mark == dialect.Open) calling = true;
        else if (calling && mark == dialect.Close) EndCall(mark);
        else if (calling) call.Append(mark);
        else Show(mark);
    }

    private void InText(string text)
    {
        if (IsWholeAnswer && !begun && text.AsSpan().TrimStart() is ['{', ..])
        {
            calling = true;
            InCall(text);
            return;
        }

        text = held + text;
        held = "";
        if (IsWholeAnswer || dialect.IsOpenToken) Show(text);
        else if (text.IndexOf(dialect.Open, StringComparison.Ordinal) is >= 0 and var at)
        {
            Show(text[..at]);
            calling = true;
            InCall(text[(at + dialect.Open.Length)..]);
        }
        else
        {
            int undecided = Math.Min(text.Length, dialect.Open.Length - 1);
            while (!text.EndsWith(dialect.Open[..undecided], StringComparison.Ordinal)) undecided--;
            Show(text[..^undecided]);
            held = text[^undecided..];
        }
    }

    private void InCall(string text)
    {
        call.Append(text);
        if (IsWholeAnswer && !MayBeCall()) EndCall("");
        if (dialect.Close.Length == 0 || dialect.IsCloseToken) return;
        int from = Math.Max(0, call.Length - text.Length - dialect.Close.Length);
        int at = call.ToString(from, call.Length - from).IndexOf(dialect.Close, StringComparison.Ordinal);
        if (at < 0) return;
        string rest = call.ToString(from + at + dialect.Close.Length, call.Length - from - at - dialect.Close.Length);
        call.Length = from + at;
        EndCall(dialect.Close);
        if (rest.Length > 0) InText(rest);
    }

    /// <summary>So that other objects stream as text.</summary>
    private bool MayBeCall()
    {
        const int enough = 16;
        string begin = string.Concat(call.ToString(0, Math.Min(call.Length, 4 * enough)).Where(c => !char.IsWhiteSpace(c)));
        return s_begins.Any(wanted => begin.AsSpan().StartsWith(wanted) || wanted.AsSpan().StartsWith(begin));
    }

    private void EndCall(string close)
    {
        calling = false;
        string written = call.ToString();
        call.Clear();
        var calls = Read(written);
        if (calls.Count == 0) Show(dialect.Open + written + close);
        else (blanks, begun, isAfterCall) = ("", true, true);
        Calls += calls.Count;
        foreach (var each in calls) given(new ReplyPart(default, each));
    }

    private List<ToolCall> Read(string written)
    {
        try
        {
            using var document = JsonDocument.Parse(written);
            IEnumerable<JsonElement> listed = dialect.IsList && document.RootElement.ValueKind == JsonValueKind.Array
                ? document.RootElement.EnumerateArray() : [document.RootElement];
            List<ToolCall?> calls = [.. listed.Select(each => ToolDialect.Read(each, newId()))];
            return calls.Contains(null) ? [] : [.. calls.OfType<ToolCall>()];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // the latter of an escaped lone surrogate
        {
            return [];
        }
    }

    private void Show(string text)
    {
        text = blanks + text;
        int end = text.AsSpan().TrimEnd().Length;
        blanks = text[end..];
        Give(text[..end]);
    }

    private void Give(string text)
    {
        if (isAfterCall) text = text.TrimStart();
        if (text.Length == 0) return;
        (begun, isAfterCall) = (true, false);
        given(new ReplyPart(new ReplyPiece(false, text), null));
    }
}

/// <summary>Some characters of a reply, or a call in it.</summary>
/// <param name="Piece">Where there is no call.</param>
internal readonly record struct ReplyPart(ReplyPiece Piece, ToolCall? Call);
