using System.Globalization;
using System.Text.Json;
using Distill.Generation;
using Distill.Serving.Protocol;

namespace Distill.Serving.Requests;

/// <summary>What all kinds of completions can be told.</summary>
/// <param name="Count">Completions per prompt (<c>n</c>).</param>
/// <param name="Seed">Null: the server draws one.</param>
/// <param name="Usage">End a stream with the token counts.</param>
internal sealed record GenerationSettings(
    SamplingOptions Sampling, int Count, IReadOnlyList<string> StopStrings, bool IgnoresEnd, ulong? Seed, bool Stream, bool Usage)
{
    /// <summary>Whether stop strings end the reasoning, too.</summary>
    public bool StopsInReasoning { get; init; } = true;

    private const int MostCompletions = 128, MostStopStrings = 16, LongestStopString = 1000, MostBiases = 1024;

    public static GenerationSettings Read(RequestParameters parameters)
    {
        bool stream = parameters.Flag("stream");
        var options = parameters.Inside("stream_options");
        bool usage = options?.Flag("include_usage") ?? false;
        options?.Ignore("include_obfuscation");
        options?.RefuseOthers();
        parameters.Ignore(AcceptedFields.Everywhere);
        parameters.OnlyNeutral("min_tokens", IsZero);
        RefuseStoring(parameters);
        return new GenerationSettings(
            SamplingOf(parameters), parameters.Integer("n", 1, MostCompletions) ?? 1, StopStringsOf(parameters),
            parameters.Flag("ignore_eos"),
            SeedOf(parameters), stream, usage);
    }

    /// <summary>Nothing is stored, and a request that relies on it is told so.</summary>
    private static void RefuseStoring(RequestParameters parameters) => parameters.OnlyNeutral(
        "store", value => value.ValueKind == JsonValueKind.False, "is not supported: this server stores nothing");

    private static bool IsZero(JsonElement value) => value.ValueKind == JsonValueKind.Number && value.GetDouble() == 0;

    private static SamplingOptions SamplingOf(RequestParameters parameters) => new()
    {
        Temperature = TemperatureOf(parameters),
        TopP = parameters.Number("top_p", 0, 1) ?? 1,
        TopK = Math.Max(parameters.Integer("top_k", -1, int.MaxValue) ?? 0, 0), // −1 means all elsewhere
        MinP = parameters.Number("min_p", 0, 1) ?? 0,
        RepetitionPenalty = parameters.Number("repetition_penalty", 0.01, 100) ?? 1,
        FrequencyPenalty = parameters.Number("frequency_penalty", -2, 2) ?? 0,
        PresencePenalty = parameters.Number("presence_penalty", -2, 2) ?? 0,
        LogitBias = BiasOf(parameters),
    };

    private static double TemperatureOf(RequestParameters parameters)
    {
        double temperature = parameters.Number("temperature", 0, 100) ?? 1;
        return temperature is 0 or >= SamplingOptions.LeastTemperature ? temperature
            : throw parameters.Invalid("temperature", $"must be 0, which is greedy, or at least {SamplingOptions.LeastTemperature}");
    }

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
