using System.Text.Json;

namespace Distill.Serving.Requests;

/// <summary>What form the answer must have.</summary>
/// <param name="Schema">The JSON Schema that it must follow; null for any object.</param>
/// <param name="Path">The parameter that said so.</param>
internal sealed record OutputFormat(JsonElement? Schema, string Path)
{
    private const int LongestName = 64;

    /// <returns>Null for a text of any form.</returns>
    /// <param name="nested">Chats put name and schema into an object of their own, <c>json_schema</c>; responses do not.</param>
    public static OutputFormat? Read(RequestParameters? format, string path, bool nested)
    {
        if (format is null) return null;
        string type = format.RequiredText("type");
        if (type == "json_schema") return SchemaOf(format, path, nested);
        format.RefuseOthers();
        return type switch
        {
            "text" => null, "json_object" => new OutputFormat(null, path),
            _ => throw format.Invalid("type", "must be text, json_object or json_schema"),
        };
    }

    private static OutputFormat SchemaOf(RequestParameters format, string path, bool nested)
    {
        var inner = nested ? format.Inside("json_schema") ?? throw format.Invalid("json_schema", "is missing") : format;
        string place = nested ? $"{path}.json_schema.schema" : $"{path}.schema";
        if (inner.RequiredText("name").Length is 0 or > LongestName)
            throw inner.Invalid("name", $"must have 1 to {LongestName} characters");
        inner.Text("description");
        inner.Flag("strict"); // every answer follows the schema, whatever this says
        var schema = inner.Required("schema");
        inner.RefuseOthers();
        format.RefuseOthers();
        return new OutputFormat(schema, place);
    }
}
