using System.Text.Json;
using Distill.Serving.Protocol;

namespace Distill.Serving.Requests;

/// <summary>
/// The parameters of a request body, or of an object in it, each asked for by name with its range. A parameter that nobody asked for is
/// refused in the end: an answer that silently ignored it would not be what the caller wanted. Null counts as absent.
/// </summary>
internal sealed class RequestParameters
{
    private readonly JsonElement body;
    private readonly string path; // of the object, ends with a dot; empty for the body
    private readonly HashSet<string> known = [];

    /// <exception cref="ApiException">The body is not an object.</exception>
    public RequestParameters(JsonElement body)
        : this(body, "")
    {
        if (body.ValueKind != JsonValueKind.Object) throw ApiException.Invalid(null, "The body must be a JSON object.");
    }

    private RequestParameters(JsonElement body, string path) => (this.body, this.path) = (body, path);

    /// <summary>Parameters of an object that is not one of the body's own, e.g. an item of a list.</summary>
    /// <param name="path">Where it is, e.g. <c>tools[2]</c>.</param>
    /// <exception cref="ApiException">It is not an object.</exception>
    public static RequestParameters Of(JsonElement value, string path) => value.ValueKind == JsonValueKind.Object
        ? new RequestParameters(value, path + ".")
        : throw ApiException.Invalid(path, $"'{path}' must be an object.");

    /// <summary>The value as it is; null where absent.</summary>
    public JsonElement? Raw(string name)
    {
        known.Add(name);
        return body.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    public JsonElement Required(string name) =>
        Raw(name) ?? throw ApiException.Invalid(path + name, $"'{path}{name}' is missing.", "missing_required_parameter");

    /// <summary>An object's own parameters; null where absent.</summary>
    public RequestParameters? Inside(string name) => Raw(name) is { } value ? Of(value, path + name) : null;

    public string? Text(string name) => Raw(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString() : throw Invalid(name, "must be a string");

    public string RequiredText(string name) => (Required(name), Text(name)).Item2!;

    public bool Flag(string name, bool otherwise = false) => Raw(name) is not { } value ? otherwise
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Invalid(name, "must be true or false");

    public int? Integer(string name, int least, int most) => Raw(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) && number >= least && number <= most ? number
        : throw Invalid(name, $"must be a whole number, {least} to {most}");

    public double? Number(string name, double least, double most) => Raw(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && number >= least && number <= most ? number
        : throw Invalid(name, $"must be a number, {least} to {most}");

    /// <summary>Parameters that change nothing of what is generated.</summary>
    public void Ignore(params ReadOnlySpan<string> names)
    {
        foreach (string name in names) known.Add(name);
    }

    /// <summary>A parameter that is not supported, given with the value that asks for nothing.</summary>
    public void OnlyNeutral(string name, Func<JsonElement, bool> isNeutral, string why = "is not supported with this value")
    {
        if (Raw(name) is { } value && !isNeutral(value))
            throw ApiException.Invalid(path + name, $"'{path}{name}' {why}.", "unsupported_parameter");
    }

    /// <summary>The error of a parameter that is there and cannot be meant so.</summary>
    public ApiException Invalid(string name, string what) => ApiException.Invalid(path + name, $"'{path}{name}' {what}.");

    /// <exception cref="ApiException">There is a parameter that was not asked for.</exception>
    public void RefuseOthers()
    {
        foreach (var property in body.EnumerateObject())
        {
            if (!known.Contains(property.Name))
                throw ApiException.Invalid(
                    path + property.Name, $"Unknown parameter '{path}{property.Name}'.", "unknown_parameter");
        }
    }
}
