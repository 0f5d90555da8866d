using System.Globalization;
using System.Text;
using System.Text.Json;
using Distill.Generation;

namespace Distill.Teacher;

/// <summary>
/// Sampling options as canonical JSON: fixed keys in alphabetical order, no spaces, so that equal options are equal texts.
/// </summary>
internal static class SamplingJson
{
    public static string Write(SamplingOptions sampling, int maxNewTokens)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (sampling.FrequencyPenalty != 0) json.WriteNumber("frequency_penalty", sampling.FrequencyPenalty);
            if (sampling.LogitBias is { Count: > 0 } bias)
            {
                json.WriteStartObject("logit_bias");
                foreach (var (token, value) in bias.OrderBy(entry => entry.Key))
                    json.WriteString(token.ToString(CultureInfo.InvariantCulture), value.ToString("R", CultureInfo.InvariantCulture));
                json.WriteEndObject();
            }

            json.WriteNumber("max_tokens", maxNewTokens);
            json.WriteNumber("min_p", sampling.MinP);
            if (sampling.PresencePenalty != 0) json.WriteNumber("presence_penalty", sampling.PresencePenalty);
            json.WriteNumber("repetition_penalty", sampling.RepetitionPenalty);
            json.WriteNumber("temperature", sampling.Temperature);
            json.WriteNumber("top_k", sampling.TopK);
            json.WriteNumber("top_p", sampling.TopP);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }
}

/// <summary>How traces spell a stop reason.</summary>
internal static class StopReasonWord
{
    public static string Of(StopReason reason) => reason switch
    {
        StopReason.StopToken => "stop",
        StopReason.StopString => "stop_string",
        StopReason.Length => "length",
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, "Unknown stop reason."),
    };
}
