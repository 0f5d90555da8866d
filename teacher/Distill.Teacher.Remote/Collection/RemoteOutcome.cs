using Distill.Tokenization;

namespace Distill.Teacher.Remote.Collection;

/// <summary>What became of a completion: how traces spell its end, and why there is no answer where there is none.</summary>
/// <param name="StopReason">See <see cref="RemoteStopReason"/>.</param>
/// <param name="Refusal">Null for an ordinary completion.</param>
internal sealed record RemoteOutcome(string StopReason, string Reasoning, string? Answer, string? Refusal)
{
    private const int LongestRefusal = 2000;

    public static RemoteOutcome Of(StoredCompletion completion)
    {
        string stop = RemoteStopReason.Of(completion.FinishReason);
        var parsed = ReasoningParser.ParseText(
            completion.Reasoning.Length == 0
                ? completion.Text
                : ThinkMarks.Open + completion.Reasoning + ThinkMarks.Close + completion.Text);
        if (stop == RemoteStopReason.Length) parsed = parsed.CutOff();
        else if (completion.Refusal is { Length: > 0 } && stop != RemoteStopReason.Filter) stop = RemoteStopReason.Refusal;
        else if (completion.ToolCall is not null && completion.Text.Length == 0) stop = RemoteStopReason.ToolCall;
        else if (stop == RemoteStopReason.Stop && string.IsNullOrWhiteSpace(completion.Text)) stop = RemoteStopReason.Empty;
        string? answer = RemoteStopReason.IsBroken(stop) ? null : parsed.Answer;
        return new RemoteOutcome(stop, parsed.Reasoning, answer, ReasonOf(stop, completion));
    }

    /// <summary>A question that the endpoint does not take.</summary>
    public static RemoteOutcome Rejected(string reason) => new(RemoteStopReason.Rejected, "", null, Short(reason));

    private static string? ReasonOf(string stop, StoredCompletion completion) => stop switch
    {
        RemoteStopReason.Refusal => (completion.Refusal ?? completion.Text) is { Length: > 0 } said
            ? Short(said)
            : "The teacher would not answer.",
        RemoteStopReason.Filter => completion.Refusal is { Length: > 0 } why
            ? Short(why)
            : "The endpoint's content filter ended the answer.",
        RemoteStopReason.ToolCall => Short($"The teacher called a tool instead of answering: {completion.ToolCall ?? "it is not named"}"),
        RemoteStopReason.Empty => completion.Reasoning.Length > 0
            ? "The teacher ended its thinking and gave no answer."
            : "The endpoint sent an empty answer.",
        _ => null,
    };

    private static string Short(string text) => text.Length <= LongestRefusal ? text : string.Concat(text.AsSpan(0, LongestRefusal), "…");
}

/// <summary>
/// How traces spell why a remote completion ended: one word for what providers call by several, else the endpoint's own word where that is
/// a plain one.
/// </summary>
internal static class RemoteStopReason
{
    public const string Stop = "stop", Length = "length";

    /// <summary>The provider's filter.</summary>
    public const string Filter = "content_filter";

    /// <summary>The model itself would not answer.</summary>
    public const string Refusal = "refusal";

    public const string ToolCall = "tool_calls", Empty = "empty";

    /// <summary>The endpoint did not take the question.</summary>
    public const string Rejected = "rejected";

    private const int LongestWord = 32;

    private static readonly Dictionary<string, string> Synonyms = new(StringComparer.Ordinal)
    {
        ["end_turn"] = Stop, ["stop_sequence"] = Stop, ["eos"] = Stop, ["eos_token"] = Stop,
        ["max_tokens"] = Length, ["max_output_tokens"] = Length, ["model_length"] = Length, ["model_context_window_exceeded"] = Length,
        ["function_call"] = ToolCall, ["tool_use"] = ToolCall, ["tool_call"] = ToolCall,
        ["safety"] = Filter, ["prohibited_content"] = Filter, ["blocklist"] = Filter, ["sensitive"] = Filter, ["recitation"] = Filter,
    };

    // The text may end in the middle of a number: half a number is not a number.
    private static readonly HashSet<string> Broken = new(StringComparer.Ordinal)
    {
        Length, Filter, Refusal, ToolCall, Empty, Rejected, "insufficient_system_resource", "error", "abort", "cancelled", "network_error",
    };

    public static string Of(string reason)
    {
        if (reason.Length is 0 or > LongestWord || !reason.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-')) return "other";
        string word = reason.ToLowerInvariant();
        return Synonyms.GetValueOrDefault(word, word);
    }

    /// <summary>Whether the text does not end where the model ended it, or is no answer.</summary>
    public static bool IsBroken(string word) => Broken.Contains(word);
}
