namespace Distill.Serving.Requests;

/// <summary>
/// Fields that clients send and that change nothing of an answer here: accepted whatever they say. Every other field that a server of
/// this kind does not know is refused. docs/serving.md lists them.
/// </summary>
internal static class AcceptedFields
{
    /// <summary>Of every request.</summary>
    public static readonly string[] Everywhere =
        ["user", "metadata", "service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_retention"];

    /// <summary>Of <c>/v1/chat/completions</c>.</summary>
    public static readonly string[] Chat = ["reasoning_effort", "verbosity"];

    /// <summary>Of <c>/v1/responses</c>; those of its objects with the object's name before.</summary>
    public static readonly string[] Response =
    [
        "reasoning.effort", "reasoning.summary", "reasoning.generate_summary", "text.verbosity", "include", "max_tool_calls",
    ];

    /// <summary>Of a message, or of an item of a response's input.</summary>
    public static readonly string[] Message = ["id", "name", "status"];

    /// <summary>
    /// Of a message, where they are null or empty, as an earlier reply carries them: what they say otherwise would be lost.
    /// </summary>
    public static readonly string[] EmptyOfMessage = ["refusal", "annotations", "audio", "function_call"];

    /// <summary>The names in an object, e.g. <c>effort</c> of <c>reasoning</c>.</summary>
    public static IEnumerable<string> Inside(string name) =>
        Response.Where(field => field.StartsWith(name + ".", StringComparison.Ordinal)).Select(field => field[(name.Length + 1)..]);
}
