using Distill.Generation;
using Distill.Generation.Onnx;
using Distill.Pipeline.Diagnosis;
using Microsoft.ML.OnnxRuntime.Tensors;

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
    /// <param name="graphFault">Says why a card cannot run the model, whatever the machine has, or null when one can.</param>
    /// <exception cref="DeviceUnavailableException">A card is asked for and cannot be had; in the words of the doctor.</exception>
    public static DeviceChoice Of(string word, DeviceUse use, Func<CudaFacts> machine, Func<string?>? graphFault = null)
    {
        if (word == Auto) return Best(ComputeDevice.Cuda(), use, machine, graphFault);
        var device = ComputeDevice.Parse(word) ?? throw new ArgumentException($"'{word}' is no device.", nameof(word));
        if (!device.IsCuda) return new(device, "asked for");
        if (CudaDiagnosis.Blocking(machine(), use, device.Card) is [var first, ..])
            throw new DeviceUnavailableException($"{device} was asked for: {first.Found}.", first.Remedy!);
        return graphFault?.Invoke() is { } unfit
            ? throw new DeviceUnavailableException($"{device} was asked for: {unfit}.", GraphRemedy)
            : new(device, "asked for");
    }

    /// <summary>Why no card can run a model that lies in a folder, whatever the machine has; null when one can.</summary>
    /// <exception cref="InvalidDataException">It is no model folder; names the file and the reason.</exception>
    public static string? GraphFault(string folder, ModelEngine engine = ModelEngine.Onnx)
    {
        if (engine == ModelEngine.GenAI) return "the engine genai of this build runs on the processor alone";
        if (!ServedModel.IsModelFolder(folder)) return null; // on a card it is run as an fp16 graph
        var model = ModelFolder.Open(folder);
        string key = GraphNames.Of(model.Configuration.Names.PastKey, 0);
        if (!model.Facts.SharesCache)
            return "the model's graph gives a new and longer cache from every run, and on a card a cache stays in its place";
        bool isSingle = model.Facts.ElementTypes.GetValueOrDefault(key) == (int)TensorElementType.Float;
        return isSingle
            ? SingleFault
            : null;
    }

    internal const string SingleFault =
        "the model's graph keeps its cache in fp32, and ONNX Runtime's CUDA provider runs GroupQueryAttention in fp16 and bf16 alone";

    internal const string GraphRemedy = "Take an export of precision fp16 or bf16, run by the engine onnx, or take the device cpu.";

    /// <summary>The card where everything for it is there, else the processor, with the reason.</summary>
    public static DeviceChoice Best(ComputeDevice card, DeviceUse use, Func<CudaFacts> machine, Func<string?>? graphFault = null)
    {
        var facts = machine();
        if (CudaDiagnosis.Blocking(facts, use, card.Card) is [var first, ..]) return new(ComputeDevice.Cpu, first.Found);
        return graphFault?.Invoke() is { } unfit ? new(ComputeDevice.Cpu, unfit) : new(card, facts.Driver.Cards[card.Card].Name);
    }
}
