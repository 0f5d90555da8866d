using Distill.Architecture;
using Distill.Student.Training;

namespace Distill.Pipeline.Stages;

/// <summary>What a training stage of a plan takes at most.</summary>
internal static class TrainingMemoryEstimate
{
    /// <param name="longestSequence">Tokens.</param>
    /// <returns>Null when the folder cannot be read, which running the stage will say.</returns>
    public static long? Of(string checkpoint, TrainingOptions options, int longestSequence) => Predict(checkpoint, options, longestSequence)?.Total;

    /// <summary>The same for a model that is only asked for log-probabilities.</summary>
    public static long? OfScoring(string checkpoint, TrainingOptions options, int longestSequence) =>
        Predict(checkpoint, options, longestSequence) is { } memory ? memory.Total - memory.Optimizer : null;

    private static TrainingMemory? Predict(string checkpoint, TrainingOptions options, int longestSequence)
    {
        try
        {
            return TrainingMemory.Of(Checkpoint.Open(checkpoint).Architecture, options, longestSequence);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }
}
