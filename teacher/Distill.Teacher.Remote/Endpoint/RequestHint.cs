namespace Distill.Teacher.Remote.Endpoint;

/// <summary>What a server says against a request → the option that helps.</summary>
internal static class RequestHint
{
    private const string Context = "Lower max_tokens: the question and the longest completion must fit into the model's context.";

    private const string Shorter = "Lower max_tokens to what the model allows.";

    private const string Name = "Check the model's name (model).";

    // The first whose words all occur counts, so the particular stands before the general.
    private static readonly (string[] Words, string Hint)[] Hints =
    [
        (["context length"], Context),
        (["context window"], Context),
        (["maximum context"], Context),
        (["max_model_len"], Context),
        (["max_completion_tokens", "instead"], "Set token_limit to max_completion_tokens."),
        (["max_tokens", "max_completion_tokens"], Shorter),
        (["max_completion_tokens"], "Set token_limit to max_tokens."),
        (["max_tokens", "not supported"], "Set token_limit to max_completion_tokens."),
        (["max_tokens"], Shorter),
        (["too long"], "Leave out such long problems, or lower max_tokens."),
        (["logprobs"], "Lower top_log_probabilities by at least one, start vLLM with a larger --max-logprobs, or leave token_ids out."),
        (["token_ids"], "Leave token_ids out: the server does not know it."),
        (["seed"], "Set send_seed to false."),
        (["stream"], "Set stream to false."),
        (["temperature"], "Set temperature to what the model allows, usually 1."),
        (["top_p"], "Set top_p to what the model allows, usually 1."),
        (["system"], "Leave instructions and prompt.system out: the model takes no system message."),
        (["model", "not exist"], Name),
        (["model", "not found"], Name),
        (["invalid model"], Name),
        (["unknown model"], Name),
    ];

    /// <summary>With a space before it; empty where none of the words is known.</summary>
    public static string Of(string said)
    {
        foreach (var (words, hint) in Hints)
        {
            if (words.All(word => Says(said, word))) return " " + hint;
        }

        return "";
    }

    // At the beginning of a word: "upstream" is no "stream".
    private static bool Says(string text, string word)
    {
        for (int at = text.IndexOf(word, StringComparison.OrdinalIgnoreCase); at >= 0;
            at = text.IndexOf(word, at + 1, StringComparison.OrdinalIgnoreCase))
        {
            if (at == 0 || !char.IsAsciiLetter(text[at - 1])) return true;
        }

        return false;
    }
}

/// <summary>How providers say that a filter refuses a question.</summary>
internal static class FilterWords
{
    private static readonly HashSet<string> Codes = new(StringComparer.OrdinalIgnoreCase)
    {
        "content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation", "content_filter_error",
        "invalid_prompt", // OpenAI's reasoning models
        "data_inspection_failed", "DataInspectionFailed", // Alibaba
        "1301", // Zhipu
    };

    private static readonly string[] Phrases =
        ["content exists risk", "content management policy", "input was flagged", "prompt was flagged"];

    public static bool Are(string code, string message) =>
        Codes.Contains(code) || Phrases.Any(phrase => message.Contains(phrase, StringComparison.OrdinalIgnoreCase));
}
