using Distill.Generation;
using Distill.Libtorch;
using Distill.Pipeline.Diagnosis;

namespace Distill.Pipeline.Models;

/// <summary>Where something is done, and why there: what a recipe or an option asks for, held against what the machine has.</summary>
/// <param name="Reason">For whoever asked for <c>auto</c>; in half a sentence.</param>
internal sealed record DeviceChoice(ComputeDevice Device, string Reason)
{
    public const string Auto = "auto", CudaKey = "cuda";

    private const int ListedCards = 16;

    /// <summary>What may be written: <c>auto</c>, <c>cpu</c>, <c>cuda</c>, which is <c>cuda:0</c>, and <c>cuda:N</c>.</summary>
    public static IReadOnlyList<string> Words { get; } =
        [Auto, "cpu", "cuda", .. Enumerable.Range(0, ListedCards).Select(card => ComputeDevice.Cuda(card).ToString())];

    /// <summary>
    /// What of it belongs to a cache key: results of a card differ by rounding from the processor's, those of two cards do not count as
    /// different. Null for the processor, whose keys say nothing of devices.
    /// </summary>
    public string? Key => Device.IsCuda ? CudaKey : null;

    /// <param name="word">One of <see cref="Words"/>.</param>
    /// <param name="machine">Asked only where the word leaves a choice or names a card.</param>
    /// <param name="graphFault">Says why that card cannot run the model, or null when it can.</param>
    /// <param name="because">What the use follows from, in front of what is missing for it; empty where that is plain.</param>
    /// <exception cref="DeviceUnavailableException">A card is asked for and cannot be had; in the words of the doctor.</exception>
    public static DeviceChoice Of(
        string word, DeviceUse use, Func<CudaFacts> machine, Func<CudaCard, GraphFault?>? graphFault = null, string because = "")
    {
        if (word == Auto) return Best(ComputeDevice.Cuda(), use, machine, graphFault, because);
        var device = ComputeDevice.Parse(word) ?? throw new ArgumentException($"'{word}' is no device.", nameof(word));
        if (!device.IsCuda) return new(device, "asked for");
        var facts = machine();
        if (CudaDiagnosis.Blocking(facts, use, device.Card) is [var first, ..])
            throw new DeviceUnavailableException($"{device} was asked for: {because}{first.Found}.", first.Remedy!);
        return graphFault?.Invoke(facts.Driver.Cards[device.Card]) is { } unfit
            ? throw new DeviceUnavailableException($"{device} was asked for: {unfit.Text}.", unfit.Remedy)
            : new(device, "asked for");
    }

    /// <summary>The card where everything for it is there, else the processor, with the reason.</summary>
    public static DeviceChoice Best(
        ComputeDevice card, DeviceUse use, Func<CudaFacts> machine, Func<CudaCard, GraphFault?>? graphFault = null, string because = "")
    {
        var facts = machine();
        if (CudaDiagnosis.Blocking(facts, use, card.Card) is [var first, ..]) return new(ComputeDevice.Cpu, because + first.Found);
        var taken = facts.Driver.Cards[card.Card];
        return graphFault?.Invoke(taken) is { } unfit ? new(ComputeDevice.Cpu, unfit.Text) : new(card, taken.Name);
    }
}
