using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Distill.Pipeline.Reporting;

/// <summary>report.json: camel case, intervals as [low, high], enums as words.</summary>
public static class ReportJson
{
    private static readonly JsonSerializerOptions Spelling = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NewLine = "\n",
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NumberHandling = JsonNumberHandling.Strict,
    };

    public static byte[] Write(RunReport report) => [.. JsonSerializer.SerializeToUtf8Bytes(report, Spelling), (byte)'\n'];

    /// <exception cref="InvalidDataException">The text is not a report.</exception>
    public static RunReport Read(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize<RunReport>(json, Spelling) ?? throw new InvalidDataException("The report is null.");
        }
        catch (JsonException fault)
        {
            throw new InvalidDataException($"Not a report: {fault.Message}", fault);
        }
    }
}
