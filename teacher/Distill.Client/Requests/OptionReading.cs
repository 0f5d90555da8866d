using System.Globalization;
using System.Text.Json;
using Distill.Generation;
using Microsoft.Extensions.AI;

namespace Distill.Client;

/// <summary>What a caller's options say, in the engine's words.</summary>
internal static class OptionReading
{
    /// <exception cref="NotSupportedException">An option that would change the reply and cannot be honoured.</exception>
    public static void RefuseUnsupported(ChatOptions options, string modelName)
    {
        Refuse(options.ModelId is { } model && model != modelName, $"ModelId '{options.ModelId}': it is '{modelName}'");
        Refuse(options.ConversationId is not null, $"{nameof(ChatOptions.ConversationId)}: it keeps no conversations");
        Refuse(options.ContinuationToken is not null, $"{nameof(ChatOptions.ContinuationToken)}: it runs nothing in the background");
        Refuse(
            options.ResponseFormat is not (null or ChatResponseFormatText or ChatResponseFormatJson),
            $"{nameof(ChatOptions.ResponseFormat)} of {options.ResponseFormat?.GetType().Name}");
        Refuse(options.Reasoning?.Output is ReasoningOutput.Summary, "Reasoning.Output of Summary: it gives its reasoning in full or not");
    }

    public static SamplingOptions Sampling(IChatClient client, ChatOptions options, AdditionalOptions more, SamplingOptions defaults)
    {
        defaults = options.RawRepresentationFactory is { } factory ? Raw(factory(client)) ?? defaults : defaults;
        return defaults with
        {
            Temperature = options.Temperature is { } temperature ? Exactly(temperature) : defaults.Temperature,
            TopP = options.TopP is { } share ? Exactly(share) : defaults.TopP,
            TopK = options.TopK ?? more.TopK ?? defaults.TopK,
            MinP = more.MinP ?? defaults.MinP,
            RepetitionPenalty = more.RepetitionPenalty ?? defaults.RepetitionPenalty,
            FrequencyPenalty = options.FrequencyPenalty is { } frequency ? Exactly(frequency) : defaults.FrequencyPenalty,
            PresencePenalty = options.PresencePenalty is { } presence ? Exactly(presence) : defaults.PresencePenalty,
        };
    }

    public static IReadOnlyList<string> StopStrings(ChatOptions options) =>
        [.. (options.StopSequences ?? []).Select((stop, index) => WrittenText.Require(stop, $"stop sequence {index}"))];

    private static SamplingOptions? Raw(object? raw) => raw switch
    {
        null => null,
        SamplingOptions sampling => sampling,
        var other => throw new NotSupportedException(
            $"RawRepresentationFactory gives {other.GetType().Name}; a local model takes {nameof(SamplingOptions)}."),
    };

    // 0.7f is 0.699999988; the caller meant 0.7, and another interface says 0.7.
    private static double Exactly(float value) => double.Parse(value.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    private static void Refuse(bool given, string what)
    {
        if (given) throw new NotSupportedException($"A local model does not support {what}.");
    }
}

/// <summary>What <see cref="ChatOptions.AdditionalProperties"/> may say.</summary>
internal sealed record AdditionalOptions
{
    /// <summary>Keys that are known.</summary>
    public static IReadOnlyList<string> Known { get; } = ["top_k", "min_p", "repetition_penalty", "chat_template_kwargs"];

    public int? TopK { get; private init; }

    public double? MinP { get; private init; }

    public double? RepetitionPenalty { get; private init; }

    /// <summary>Switches of the template: true, false or a number, because a text could say control tokens.</summary>
    public IReadOnlyDictionary<string, JsonElement> TemplateVariables { get; private init; } = new Dictionary<string, JsonElement>();

    /// <exception cref="NotSupportedException">A key that is not known.</exception>
    /// <exception cref="ArgumentException">A value that is not what its key wants.</exception>
    public static AdditionalOptions Read(AdditionalPropertiesDictionary? properties)
    {
        var options = new AdditionalOptions();
        foreach (var (key, value) in properties ?? [])
        {
            if (value is null) continue;
            var given = WrittenText.Written(value, $"the additional property '{key}'");
            options = key switch
            {
                "top_k" => options with { TopK = Whole(given, key) },
                "min_p" => options with { MinP = Number(given, key) },
                "repetition_penalty" => options with { RepetitionPenalty = Number(given, key) },
                "chat_template_kwargs" => options with { TemplateVariables = Variables(given, key) },
                _ => throw new NotSupportedException(
                    $"A local model does not support the additional property '{key}'; it knows {string.Join(", ", Known)}."),
            };
        }

        return options;
    }

    private static int Whole(JsonElement value, string key) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int whole) ? whole : throw Wanted(key, "a whole number");

    private static double Number(JsonElement value, string key) =>
        value.ValueKind == JsonValueKind.Number ? value.GetDouble() : throw Wanted(key, "a number");

    private static Dictionary<string, JsonElement> Variables(JsonElement value, string key)
    {
        if (value.ValueKind != JsonValueKind.Object) throw Wanted(key, "an object");
        var variables = new Dictionary<string, JsonElement>();
        foreach (var variable in value.EnumerateObject())
        {
            bool isSwitch = variable.Value.ValueKind is JsonValueKind.True or JsonValueKind.False or JsonValueKind.Number;
            if (!isSwitch || variable.Name is "messages" or "tools" or "documents" or "add_generation_prompt")
                throw Wanted($"{key}.{variable.Name}", "true, false or a number, and none of the chat's own variables");
            variables[variable.Name] = variable.Value.Clone();
        }

        return variables;
    }

    private static ArgumentException Wanted(string key, string what) => new($"The additional property '{key}' must be {what}.");
}
