using Distill.Architecture;
using Distill.Generation.Onnx;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Distill.Pipeline.Models;

/// <summary>
/// What an <see cref="ServedModel"/> takes at most, known without opening it. The system hands out a cache's pages as tokens fill them.
/// </summary>
/// <param name="WeightBytes">Weights, once.</param>
/// <param name="Copies">
/// Of the weights in the computer's memory at the peak: the file's, and once more as ONNX Runtime packs them for the processor. Where the
/// model runs on a card, one of them lies there.
/// </param>
/// <param name="SessionBytes">Key-value cache, logits and masks of all slots: <see cref="SessionMemory.TotalBytes"/>.</param>
internal sealed record ModelMemory(long WeightBytes, int Copies, long SessionBytes)
{
    // Longer than most prompts; what a run really needs follows from its longest.
    internal const int UsualPrompt = 256;

    public long TotalBytes => (Copies * WeightBytes) + SessionBytes;

    /// <summary>
    /// Of a stage that has a model complete problems, prompts of up to 256 tokens supposed; null when the folder cannot be
    /// read, which running it will say.
    /// </summary>
    /// <param name="card">Whether the model runs on one.</param>
    public static StageMemory? ForCompletions(string folder, int slots, int maxTokens, bool card)
    {
        try
        {
            var memory = Of(folder, slots, maxTokens + UsualPrompt);
            return card
                ? new((memory.Copies - 1) * memory.WeightBytes, OnCard(folder, slots, maxTokens + UsualPrompt).TotalBytes)
                : new(memory.TotalBytes, 0);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    /// <param name="slots">Rows decoded together, at least 1.</param>
    /// <param name="maxLength">Longest sequence, cut to what the model reads.</param>
    /// <exception cref="InvalidDataException">The folder is no model; names the file and the reason.</exception>
    public static ModelMemory Of(string folder, int slots, int maxLength)
    {
        if (ModelFolder.Announces(folder))
        {
            var model = ModelFolder.Open(folder);
            return new(
                ServedModel.WeightBytes(model),
                Copies: 2,
                model.MemoryOf(slots, Math.Min(maxLength, model.Configuration.ContextLength)).TotalBytes);
        }

        return Of(Checkpoint.Open(folder).Architecture, slots, maxLength);
    }

    /// <summary>
    /// What of it lies on a card: weights once, not once more as they are packed for the processor; a checkpoint is run there as an fp16
    /// graph.
    /// </summary>
    /// <inheritdoc cref="Of(string, int, int)"/>
    public static ModelMemory OnCard(string folder, int slots, int maxLength)
    {
        if (ModelFolder.Announces(folder)) return Of(folder, slots, maxLength) with { Copies = 1 };

        var architecture = Checkpoint.Open(folder).Architecture;
        var layout = new CacheLayout(
            architecture.Layers, architecture.KeyValueHeads, architecture.HeadSize, architecture.VocabularySize)
        {
            CacheType = TensorElementType.Float16,
        };
        return new(
            architecture.ParameterCount * CacheLayout.SizeOf(layout.CacheType), Copies: 1,
            layout.MemoryOf(slots, Math.Min(maxLength, architecture.MaxPositions)).TotalBytes);
    }

    /// <summary>A checkpoint is written as a graph in memory and opened from there: three copies at the peak.</summary>
    public static ModelMemory Of(DecoderArchitecture architecture, int slots, int maxLength) => new(
        architecture.ParameterCount * sizeof(float), Copies: 3,
        SessionMemory.Of(
            architecture.Layers, architecture.KeyValueHeads, architecture.HeadSize, architecture.VocabularySize,
            slots, Math.Min(maxLength, architecture.MaxPositions)).TotalBytes);
}
