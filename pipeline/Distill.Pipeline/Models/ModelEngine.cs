using System.Text.Json.Serialization;
using Distill.Generation;
using Distill.Generation.GenAI;
using Distill.Generation.Onnx;
using Distill.Generation.Torch;

namespace Distill.Pipeline.Models;

/// <summary>What runs a model folder.</summary>
internal enum ModelEngine
{
    /// <summary>The own backend over ONNX Runtime: many rows in one run.</summary>
    Onnx,

    /// <summary>ONNX Runtime GenAI: one row after another.</summary>
    [JsonStringEnumMemberName("genai")]
    GenAI,
}

/// <summary>What an engine can run, known from the folder alone, and how it opens it.</summary>
internal static class ModelEngines
{
    /// <summary>Why an engine cannot run a folder; null when it can, as far as that shows without loading it.</summary>
    public static string? FaultOf(this ModelEngine engine, string folder)
    {
        if (engine == ModelEngine.Onnx) return null;
        if (!ModelFolder.Announces(folder)) return $"{folder} is a checkpoint, and ONNX Runtime GenAI runs exported folders only";
        try
        {
            GenAIFolder.Require(ModelFolder.Open(folder));
            return null;
        }
        catch (InvalidDataException fault)
        {
            return fault.Message.TrimEnd('.');
        }
    }

    /// <summary>What an engine makes slower than it need be; null when nothing.</summary>
    public static string? SlowerBecause(this ModelEngine engine, int slots, int samples)
    {
        if (engine == ModelEngine.Onnx || (slots == 1 && samples == 1)) return null;
        string again = samples > 1 ? $" Each of the {samples} samples reads its prompt again: a row cannot be copied." : "";
        return $"ONNX Runtime GenAI runs the rows of a batch one after another, so {slots} slots are no faster than one.{again} "
            + "The engine onnx runs them together.";
    }

    /// <exception cref="InvalidDataException">Names the file and the reason.</exception>
    public static ITokenModel Load(this ModelEngine engine, ModelFolder folder, OnnxModelOptions options) =>
        engine == ModelEngine.GenAI ? GenAITokenModel.Load(folder, options) : DeviceModels.Load(folder, options);
}
