using System.Globalization;
using Distill.Generation;
using Distill.Pipeline.Models;

namespace Distill.Pipeline.Diagnosis;

/// <summary>Whether a card can run a model's graph and hold its weights and caches.</summary>
internal static class CudaModelCheck
{
    /// <exception cref="InvalidDataException">The folder is no model; names the file and the reason.</exception>
    public static IEnumerable<MachineFinding> Of(string folder, int slots, int maxLength, CudaFacts facts)
    {
        yield return DeviceChoice.GraphFault(folder) is { } fault
            ? new("cuda-model", MachineState.Missing, fault, DeviceChoice.GraphRemedy)
            : new("cuda-model", MachineState.Ok, "its graph is one that ONNX Runtime's CUDA provider runs");

        // On a card weights lie once, not once more as they are packed for the processor.
        var needed = ModelMemory.Of(folder, slots, maxLength);
        long bytes = (needed.WeightBytes / 2) + needed.SessionBytes;
        foreach (var card in facts.Driver.Cards)
        {
            string found =
                $"{Gibi(bytes)} at most for {slots} slots × {maxLength:N0} tokens, of the {Gibi(card.MemoryBytes)} of {card.Name}";
            string name = $"{ComputeDevice.Cuda(card.Number)}-memory";
            yield return bytes <= card.MemoryBytes ? new(name, MachineState.Ok, found)
                : new(name, MachineState.Missing, found, "Use fewer slots, shorter completions or a smaller model.");
        }
    }

    private static string Gibi(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):F1} GiB");
}
