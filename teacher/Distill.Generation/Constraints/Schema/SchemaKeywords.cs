namespace Distill.Generation.Constraints;

/// <summary>Keywords of JSON Schema (draft 2020-12, and <c>definitions</c> of older ones) that constrained output knows.</summary>
internal static class SchemaKeywords
{
    /// <summary>What decides which values are allowed.</summary>
    public static IReadOnlyList<string> Known { get; } =
    [
        "$defs", "$ref", "additionalProperties", "allOf", "anyOf", "const", "definitions", "enum", "exclusiveMaximum", "exclusiveMinimum",
        "format", "items", "maxItems", "maxLength", "maximum", "minItems", "minLength", "minimum", "oneOf", "pattern", "properties",
        "required", "type",
    ];

    /// <summary>What only describes, and may stand anywhere.</summary>
    public static IReadOnlyList<string> Annotations { get; } =
    [
        "$comment", "$id", "$schema", "default", "deprecated", "description", "examples", "readOnly", "strict", "title", "writeOnly",
    ];

    /// <summary>Values of <c>format</c>, and what each allows.</summary>
    public static IReadOnlyDictionary<string, string> Formats { get; } = new SortedDictionary<string, string>(StringComparer.Ordinal)
    {
        ["date"] = $"^{Date}$",
        ["date-time"] = $"^{Date}T{Time}(Z|[+-]((0\\d|1[0-3]):[0-5]\\d|14:00))$",
        ["time"] = $"^{Time}$",
        ["uri"] = $"^[A-Za-z][A-Za-z0-9+.-]*:(//{Host}(:\\d{{1,4}})?(/{Character}*)*|{Character}+)"
            + $"(\\?({Character}|[/?])*)?(#({Character}|[/?])*)?$",
        ["uuid"] = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
    };

    // By month, so that no day is one too many; the last line is 29 February.
    private const string Date =
        "((000[1-9]|00[1-9]\\d|0[1-9]\\d\\d|[1-9]\\d{3})-((0[13578]|1[02])-(0[1-9]|[12]\\d|3[01])"
        + "|(0[469]|11)-(0[1-9]|[12]\\d|30)|02-(0[1-9]|1\\d|2[0-8]))"
        + "|(\\d\\d(0[48]|[2468][048]|[13579][26])|([02468][48]|[2468]0|[13579][26])00)-02-29)";

    // RFC 3986, hosts by name.
    private const string Host = "[A-Za-z0-9]+([.-][A-Za-z0-9]+)*";
    private const string Character = "([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})";

    private const string Time = "([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,7})?";
}
