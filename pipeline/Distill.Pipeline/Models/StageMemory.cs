using Distill.Architecture;
using Distill.Student.Adapters;
using Distill.Student.Supervised;
using Distill.Student.Training;
using TorchSharp;

namespace Distill.Pipeline.Models;

/// <summary>Most memory that a stage of a plan takes, in bytes.</summary>
/// <param name="Machine">Of the computer.</param>
/// <param name="Card">Of the card that its work is done on; 0 where none is used.</param>
internal sealed record StageMemory(long Machine, long Card)
{
    public static StageMemory operator +(StageMemory one, StageMemory other) => new(one.Machine + other.Machine, one.Card + other.Card);

    /// <returns>Of the card or else of the computer.</returns>
    public static StageMemory On(bool card, long bytes) => card ? new(0, bytes) : new(bytes, 0);
}

/// <summary>What a training stage of a plan takes at most.</summary>
internal static class TrainingMemoryPrediction
{
    /// <param name="longestSequence">Tokens.</param>
    /// <param name="card">Whether the student is trained on one.</param>
    /// <returns>Null when the folder cannot be read, which running the stage will say.</returns>
    public static StageMemory? Of(string checkpoint, TrainingOptions options, int longestSequence, bool card) =>
        Predict(checkpoint, architecture => StageMemory.On(card, Of(architecture, options, longestSequence, card).Total));

    /// <summary>The same for a fine-tuning, which may train adapters alone.</summary>
    public static StageMemory? Of(string checkpoint, SupervisedOptions options, int longestSequence, bool card)
    {
        if (options.LowRank is not { } lowRank) return Of(checkpoint, options.Training, longestSequence, card);
        return Predict(checkpoint, architecture =>
        {
            var memory = AdapterMemory.Of(architecture, options.Training, lowRank, longestSequence, KindOf(card));
            return StageMemory.On(card, memory.Device.Total) + new StageMemory(memory.Host, 0);
        });
    }

    /// <summary>The same for a model that is only asked for log-probabilities.</summary>
    public static StageMemory? OfScoring(string checkpoint, TrainingOptions options, int longestSequence, bool card) =>
        Predict(checkpoint, architecture =>
        {
            var memory = Of(architecture, options, longestSequence, card);
            return StageMemory.On(card, memory.Total - memory.Optimizer);
        });

    private static TrainingMemory Of(DecoderArchitecture architecture, TrainingOptions options, int longestSequence, bool card) =>
        TrainingMemory.Of(architecture, options, longestSequence, KindOf(card));

    private static DeviceType KindOf(bool card) => card ? DeviceType.CUDA : DeviceType.CPU;

    private static StageMemory? Predict(string checkpoint, Func<DecoderArchitecture, StageMemory> of)
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
