using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Distill.Pipeline.Reporting;

/// <summary><see cref="RunReport"/> ↔ <c>report.json</c>: camel case, enums as words, names in maps as they are.</summary>
public static class ReportJson
{
    // A rate that is not a number must not cost the report of a whole night: it is written as the word "NaN".
    private static readonly JsonSerializerOptions Spelling = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        RespectNullableAnnotations = true,
        AllowDuplicateProperties = false,
        WriteIndented = true,
        NewLine = "\n",
    };

    public static string Write(RunReport report) => JsonSerializer.Serialize(report, Spelling) + "\n";

    /// <exception cref="JsonException">The text is no report.</exception>
    public static RunReport Read(string text) =>
        JsonSerializer.Deserialize<RunReport>(text, Spelling) ?? throw new JsonException("A report is an object, not null.");
}
