using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Distill.Serving.Protocol;

/// <summary>How bodies are spelled: snake case, absent where null unless a type says otherwise.</summary>
internal static class ApiJson
{
    public static JsonSerializerOptions Options { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // application/json, never put into HTML
    };

    /// <summary>JSON has no infinity; OpenAI writes this for a probability of nothing.</summary>
    public static double Finite(double logProbability) => Math.Max(logProbability, -9999);
}
