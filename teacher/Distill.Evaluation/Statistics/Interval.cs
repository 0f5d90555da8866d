using System.Text.Json;
using System.Text.Json.Serialization;

namespace Distill.Evaluation.Statistics;

/// <summary>A confidence interval; in JSON the array [low, high].</summary>
[JsonConverter(typeof(ArrayConverter))]
public readonly record struct Interval(double Low, double High)
{
    private sealed class ArrayConverter : JsonConverter<Interval>
    {
        public override Interval Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            JsonSerializer.Deserialize<double[]>(ref reader, options) is [var low, var high]
                ? new Interval(low, high)
                : throw new JsonException("An interval is an array of two numbers.");

        public override void Write(Utf8JsonWriter writer, Interval value, JsonSerializerOptions options)
        {
            writer.WriteStartArray();
            writer.WriteNumberValue(value.Low);
            writer.WriteNumberValue(value.High);
            writer.WriteEndArray();
        }
    }
}
