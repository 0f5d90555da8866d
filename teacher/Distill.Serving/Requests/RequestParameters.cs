using System.Text.Json;
using Distill.Serving.Protocol;

namespace Distill.Serving.Requests;

/// <summary>
/// The parameters of a request body, each asked for by name with its range. A parameter that nobody asked for is refused in the end: an
/// answer that silently ignored it would not be what the caller wanted. Null counts as absent.
/// </summary>
internal sealed class RequestParameters
{
    private readonly JsonElement body;
    private readonly HashSet<string> known = [];

    /// <exception cref="ApiException">The body is not an object.</exception>
    public RequestParameters(JsonElement body) =>
        this.body = body.ValueKind == JsonValueKind.Object ? body : throw ApiException.Invalid(null, "The body must be a JSON object.");

    /// <summary>The value as it is; null where absent.</summary>
    public JsonElement? Raw(string name)
    {
        known.Add(name);
        return body.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    public JsonElement Required(string name) =>
        Raw(name) ?? throw ApiException.Invalid(name, $"'{name}' is missing.", "missing_required_parameter");

    public string? Text(string name) => Raw(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString() : throw ApiException.Invalid(name, $"'{name}' must be a string.");

    public bool Flag(string name, bool otherwise = false) => Raw(name) is not { } value ? otherwise
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? value.GetBoolean()
            : throw ApiException.Invalid(name, $"'{name}' must be true or false.");

    public int? Integer(string name, int least, int most) => Raw(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) && number >= least && number <= most ? number
        : throw ApiException.Invalid(name, $"'{name}' must be a whole number, {least} to {most}.");

    public double? Number(string name, double least, double most) => Raw(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && number >= least && number <= most ? number
        : throw ApiException.Invalid(name, $"'{name}' must be a number, {least} to {most}.");

    /// <summary>Parameters that change nothing of what is generated.</summary>
    public void Ignore(params ReadOnlySpan<string> names)
    {
        foreach (string name in names) known.Add(name);
    }

    /// <summary>A parameter that is not supported, given with the value that asks for nothing.</summary>
    public void OnlyNeutral(string name, Func<JsonElement, bool> isNeutral)
    {
        if (Raw(name) is { } value && !isNeutral(value))
            throw ApiException.Invalid(name, $"'{name}' is not supported with this value.", "unsupported_parameter");
    }

    /// <exception cref="ApiException">There is a parameter that was not asked for.</exception>
    public void RefuseOthers()
    {
        foreach (var property in body.EnumerateObject())
        {
            if (!known.Contains(property.Name))
                throw ApiException.Invalid(property.Name, $"Unknown parameter '{property.Name}'.", "unknown_parameter");
        }
    }
}
