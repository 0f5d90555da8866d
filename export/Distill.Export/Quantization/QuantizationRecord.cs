using System.Text.Json;
using System.Text.Json.Serialization;
using Distill.Architecture;

namespace Distill.Export.Quantization;

/// <summary>How the codes of an export were chosen and what that gave; a file beside the model in a run.</summary>
/// <param name="Texts">That codes were chosen over.</param>
/// <param name="Widened">Products whose matrices got 8 bits in an int4 export.</param>
/// <param name="Products">All that read projections.</param>
/// <param name="Recovery">Null without one.</param>
/// <param name="Forms">The export beside others; none where nothing was measured.</param>
public sealed record QuantizationRecord(
    int Texts, long Tokens, int Widened, int Products, RecoveryFigures? Recovery, IReadOnlyList<FormFigures> Forms)
{
    public const string FileName = "quantization.json";

    private const long MostBytes = 1 << 20;

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true, NewLine = "\n", DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.Strict,
    };

    internal static QuantizationRecord Of(CalibrationResult result, RecoveryResult? recovered, IReadOnlyList<FormFigures> forms) => new(
        result.Texts, result.Tokens, result.Widened, result.Operators,
        recovered is null ? null : new(recovered.Before, recovered.After, recovered.Steps), forms);

    public byte[] ToBytes() => [.. JsonSerializer.SerializeToUtf8Bytes(this, s_json), (byte)'\n'];

    /// <returns>Null where there is no such file.</returns>
    /// <exception cref="InvalidDataException">It is none.</exception>
    public static QuantizationRecord? Read(string path)
    {
        if (!File.Exists(path)) return null;
        using var document = BoundedJson.Read(path, MostBytes);
        try
        {
            return document.Deserialize<QuantizationRecord>(s_json);
        }
        catch (JsonException wrong)
        {
            throw new InvalidDataException($"'{path}' does not tell how an export was calibrated: {wrong.Message}", wrong);
        }
    }
}

/// <summary>What distilling a rounded model from itself gave.</summary>
/// <param name="Before">Mean divergence on texts that were not trained on, in nats a token.</param>
/// <param name="After">The same afterwards.</param>
public sealed record RecoveryFigures(double Before, double After, int Updates);
