using Distill.Architecture;
using Distill.Generation.Onnx;
using Distill.Student.Adapters;
using Distill.Student.Supervised;
using Distill.Student.Training;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Distill.Pipeline.Models;

/// <summary>
/// What an <see cref="ServedModel"/> takes at most, known without opening it. The system hands out a cache's pages as tokens fill them.
/// </summary>
/// <param name="WeightBytes">Weights: the file's, and once more as ONNX Runtime packs them for the processor.</param>
/// <param name="SessionBytes">Key-value cache, logits and masks of all slots: <see cref="SessionMemory.TotalBytes"/>.</param>
internal sealed record ModelMemory(long WeightBytes, long SessionBytes)
{
    // Longer than most prompts; what a run really needs follows from its longest.
    internal const int UsualPrompt = 256;

    public long TotalBytes => WeightBytes + SessionBytes;

    /// <summary>
    /// Of a stage that has a model complete problems, prompts of up to 256 tokens supposed; null when the folder cannot be
    /// read, which running it will say.
    /// </summary>
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
    public static ModelMemory Of(string folder, int slots, int maxLength)
    {
        if (ModelFolder.Announces(folder))
        {
            var model = ModelFolder.Open(folder);
            return new(
                2 * ServedModel.WeightBytes(model),
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
        if (ModelFolder.Announces(folder))
        {
            var needed = Of(folder, slots, maxLength);
            return needed with { WeightBytes = needed.WeightBytes / 2 };
        }

        var architecture = Checkpoint.Open(folder).Architecture;
        var layout = new CacheLayout(
            architecture.Layers, architecture.KeyValueHeads, architecture.HeadSize, architecture.VocabularySize)
        {
            CacheType = TensorElementType.Float16,
        };
        return new(
            architecture.ParameterCount * CacheLayout.SizeOf(layout.CacheType),
            layout.MemoryOf(slots, Math.Min(maxLength, architecture.MaxPositions)).TotalBytes);
    }

    /// <summary>A checkpoint is written as a graph in memory and opened from there: three copies at the peak.</summary>
    public static ModelMemory Of(DecoderArchitecture architecture, int slots, int maxLength) => new(
        3 * architecture.ParameterCount * sizeof(float),
        SessionMemory.Of(
            architecture.Layers, architecture.KeyValueHeads, architecture.HeadSize, architecture.VocabularySize,
            slots, Math.Min(maxLength, architecture.MaxPositions)).TotalBytes);
}

/// <summary>What a training stage of a plan takes at most.</summary>
internal static class TrainingMemoryPrediction
{
    /// <param name="longestSequence">Tokens.</param>
    /// <returns>Null when the folder cannot be read, which running the stage will say.</returns>
    public static long? Of(string checkpoint, TrainingOptions options, int longestSequence) =>
        Predict(checkpoint, options, longestSequence)?.Total;

    /// <summary>The same for a fine-tuning, which may train adapters alone.</summary>
    public static long? Of(string checkpoint, SupervisedOptions options, int longestSequence) => options.LowRank is { } lowRank
        ? Predict(checkpoint, architecture => AdapterMemory.Of(architecture, options.Training, lowRank, longestSequence))?.Total
        : Of(checkpoint, options.Training, longestSequence);

    /// <summary>The same for a model that is only asked for log-probabilities.</summary>
    public static long? OfScoring(string checkpoint, TrainingOptions options, int longestSequence) =>
        Predict(checkpoint, options, longestSequence) is { } memory ? memory.Total - memory.Optimizer : null;

    private static TrainingMemory? Predict(string checkpoint, TrainingOptions options, int longestSequence) =>
        Predict(checkpoint, architecture => TrainingMemory.Of(architecture, options, longestSequence));

    private static TrainingMemory? Predict(string checkpoint, Func<DecoderArchitecture, TrainingMemory> of)
    {
        try
        {
            return of(Checkpoint.Open(checkpoint).Architecture);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }
}
