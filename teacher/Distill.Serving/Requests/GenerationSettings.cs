using System.Globalization;
using System.Text.Json;
using Distill.Generation;
using Distill.Serving.Protocol;

namespace Distill.Serving.Requests;

/// <summary>What both kinds of completions can be told.</summary>
/// <param name="Count">Completions per prompt (<c>n</c>).</param>
/// <param name="Seed">Null: the server draws one.</param>
/// <param name="Usage">End a stream with the token counts.</param>
internal sealed record GenerationSettings(
    SamplingOptions Sampling, int Count, IReadOnlyList<string> StopStrings, bool IgnoresEnd, ulong? Seed, bool Stream, bool Usage)
{
    private const int MostCompletions = 128, MostStopStrings = 16, LongestStopString = 1000, MostBiases = 1024;

    public static GenerationSettings Read(RequestParameters parameters)
    {
        bool stream = parameters.Flag("stream");
        var options = parameters.Raw("stream_options");
        if (options is { } given && (!stream || given.ValueKind != JsonValueKind.Object))
            throw ApiException.Invalid("stream_options", "'stream_options' must be an object, and only with 'stream': true.");
        RefuseUnsupported(parameters);
        return new GenerationSettings(
            SamplingOf(parameters), parameters.Integer("n", 1, MostCompletions) ?? 1, StopStringsOf(parameters),
            parameters.Flag("ignore_eos"),
            SeedOf(parameters), stream,
            options is { } stated && stated.TryGetProperty("include_usage", out var usage) && usage.ValueKind == JsonValueKind.True);
    }

    private static void RefuseUnsupported(RequestParameters parameters)
    {
        parameters.Ignore("user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key");
        parameters.OnlyNeutral("frequency_penalty", IsZero);
        parameters.OnlyNeutral("presence_penalty", IsZero);
        parameters.OnlyNeutral("min_tokens", IsZero);
    }

    private static bool IsZero(JsonElement value) => value.ValueKind == JsonValueKind.Number && value.GetDouble() == 0;

    private static SamplingOptions SamplingOf(RequestParameters parameters) => new()
    {
        Temperature = parameters.Number("temperature", 0, 100) ?? 1,
        TopP = parameters.Number("top_p", 0, 1) ?? 1,
        TopK = Math.Max(parameters.Integer("top_k", -1, int.MaxValue) ?? 0, 0), // −1 means all elsewhere
        MinP = parameters.Number("min_p", 0, 1) ?? 0,
        RepetitionPenalty = parameters.Number("repetition_penalty", 0.01, 100) ?? 1,
        LogitBias = BiasOf(parameters),
    };

    private static Dictionary<int, float>? BiasOf(RequestParameters parameters)
    {
        const string name = "logit_bias";
        if (parameters.Raw(name) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Object || value.EnumerateObject().Count() > MostBiases)
            throw ApiException.Invalid(name, $"'{name}' must be an object of at most {MostBiases} token ids with a number each.");
        var bias = new Dictionary<int, float>();
        foreach (var property in value.EnumerateObject())
        {
            if (!int.TryParse(property.Name, NumberStyles.None, CultureInfo.InvariantCulture, out int token)
                || property.Value.ValueKind != JsonValueKind.Number || property.Value.GetDouble() is not (>= -100 and <= 100))
                throw ApiException.Invalid(name, $"'{name}' must map token ids to numbers, -100 to 100.");
            bias[token] = (float)property.Value.GetDouble();
        }

        return bias.Count == 0 ? null : bias;
    }

    private static string[] StopStringsOf(RequestParameters parameters)
    {
        const string name = "stop";
        if (parameters.Raw(name) is not { } value) return [];
        JsonElement[] items = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : [value];
        if (
            items.Length > MostStopStrings
                || items.Any(item => item.ValueKind != JsonValueKind.String || item.GetString()!.Length is 0 or > LongestStopString))
            throw ApiException.Invalid(
                name, $"'{name}' must be a string or up to {MostStopStrings} of them, each of 1 to {LongestStopString} characters.");
        return [.. items.Select(item => item.GetString()!)];
    }

    private static ulong? SeedOf(RequestParameters parameters) => parameters.Raw("seed") is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long seed) ? unchecked((ulong)seed)
        : throw ApiException.Invalid("seed", "'seed' must be a whole number.");
}
