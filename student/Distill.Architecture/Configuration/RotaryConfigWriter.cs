using System.Text.Json;

namespace Distill.Architecture;

/// <summary>The rotary part of a configuration in the spelling of published models, which newer transformers reads too.</summary>
internal static class RotaryConfigWriter
{
    public static void Write(Utf8JsonWriter json, DecoderArchitecture a)
    {
        if (a.RotaryScaling is DefaultRotary) json.WriteNull("rope_scaling");
        else
        {
            json.WriteStartObject("rope_scaling");
            json.WriteString("rope_type", a.RotaryScaling.TypeName);
            WriteValues(json, a.RotaryScaling);
            json.WriteEndObject();
        }

        json.WriteNumber("rope_theta", a.RopeTheta);
    }

    private static void WriteValues(Utf8JsonWriter json, RotaryScaling scaling)
    {
        switch (scaling)
        {
            case LinearRotary linear:
                json.WriteNumber("factor", linear.Factor);
                break;
            case Llama3Rotary llama3:
                json.WriteNumber("factor", llama3.Factor);
                json.WriteNumber("high_freq_factor", llama3.HighFrequencyFactor);
                json.WriteNumber("low_freq_factor", llama3.LowFrequencyFactor);
                json.WriteNumber("original_max_position_embeddings", llama3.OriginalPositions);
                break;
            case YarnRotary yarn:
                json.WriteNumber("attention_factor", yarn.AttentionScale);
                json.WriteNumber("beta_fast", yarn.BetaFast);
                json.WriteNumber("beta_slow", yarn.BetaSlow);
                json.WriteNumber("factor", yarn.Factor);
                json.WriteNumber("original_max_position_embeddings", yarn.OriginalPositions);
                if (!yarn.Truncate) json.WriteBoolean("truncate", false);
                break;
            default:
                throw new InvalidDataException($"No config.json can describe the rotary scaling '{scaling.TypeName}'.");
        }
    }
}
