using System.Text.Json;
using Distill.Generation.Constraints;
using Distill.Tokenization;

namespace Distill.Client;

/// <summary>
/// Constraints by what they demand, so that what was computed for one request serves the next. Thread-safe.
/// </summary>
internal sealed class ConstraintCache(Tokenizer tokenizer)
{
    private const int MostKept = 8; // each may hold some MiB

    private readonly Lock gate = new();
    private readonly Dictionary<string, JsonConstraint> kept = [];

    /// <param name="schema">Empty: any object.</param>
    /// <inheritdoc cref="JsonConstraint.OfSchema"/>
    public JsonConstraint OfFormat(string schema) => Of(
        $"format {schema}",
        () => schema.Length == 0 ? JsonConstraint.AnyObject(tokenizer) : JsonConstraint.OfSchema(JsonElement.Parse(schema), tokenizer));

    /// <summary>A call of one of some tools, or what a format demands.</summary>
    /// <param name="format">Null: nothing else.</param>
    /// <inheritdoc cref="ToolDialect.Constraint"/>
    public JsonConstraint OfCalls(IReadOnlyList<ToolDefinition> tools, string? format, ToolDialect dialect) => Of(
        JsonSerializer.Serialize(
            tools.SelectMany(tool => (string?[])[tool.Name, tool.Parameters.GetRawText()]).Append(format).Prepend("calls").ToArray()),
        () => dialect.Constraint(tools, format is null ? null : OfFormat(format)));

    private JsonConstraint Of(string key, Func<JsonConstraint> make)
    {
        lock (gate)
        {
            if (kept.TryGetValue(key, out var known)) return known;
        }

        var made = make();
        lock (gate)
        {
            if (kept.Count >= MostKept) kept.Clear();
            return kept[key] = made;
        }
    }
}
