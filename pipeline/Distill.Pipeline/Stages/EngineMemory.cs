using Distill.Architecture;
using Distill.Generation.Onnx;

namespace Distill.Pipeline.Stages;

/// <summary>
/// What an <see cref="Engine"/> takes at most, known without opening it. The system hands out a cache's pages as tokens fill them.
/// </summary>
/// <param name="WeightBytes">Weights: the file's, and once more as ONNX Runtime packs them for the processor.</param>
/// <param name="SessionBytes">Key-value cache, logits and masks of all slots: <see cref="SessionMemory.TotalBytes"/>.</param>
public sealed record EngineMemory(long WeightBytes, long SessionBytes)
{
    // Longer than most prompts; what a run really needs follows from its longest.
    internal const int UsualPrompt = 256;

    public long TotalBytes => WeightBytes + SessionBytes;

    /// <summary>Of a stage that has a model complete problems, prompts of up to 256 tokens supposed; null when the folder cannot be read, which running it will say.</summary>
    public static long? ForCompletions(string folder, int slots, int maxTokens)
    {
        try
        {
            return Of(folder, slots, maxTokens + UsualPrompt).TotalBytes;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    /// <param name="slots">Rows decoded together, at least 1.</param>
    /// <param name="maxLength">Longest sequence, cut to what the model reads.</param>
    /// <exception cref="InvalidDataException">The folder is no model; names the file and the reason.</exception>
    public static EngineMemory Of(string folder, int slots, int maxLength)
    {
        if (ModelFolder.Announces(folder))
        {
            var model = ModelFolder.Open(folder);
            return new(2 * Engine.WeightBytes(model), model.MemoryOf(slots, Math.Min(maxLength, model.Configuration.ContextLength)).TotalBytes);
        }

        return Of(Checkpoint.Open(folder).Architecture, slots, maxLength);
    }

    /// <summary>A checkpoint is written as a graph in memory and opened from there: three copies at the peak.</summary>
    public static EngineMemory Of(DecoderArchitecture architecture, int slots, int maxLength) => new(
        3 * architecture.ParameterCount * sizeof(float),
        SessionMemory.Of(architecture.Layers, architecture.KeyValueHeads, architecture.HeadSize, architecture.VocabularySize, slots, Math.Min(maxLength, architecture.MaxPositions)).TotalBytes);
}
