using System.Globalization;
using Distill.Generation;
using Distill.Libtorch;
using Distill.Pipeline.Models;

namespace Distill.Pipeline.Diagnosis;

/// <summary>What a device is wanted for; each needs other things.</summary>
internal enum DeviceUse
{
    /// <summary>ONNX Runtime runs a model, whose cache and logits lie in torch's memory.</summary>
    Running,

    /// <summary>Torch trains one.</summary>
    Training,
}

/// <summary>
/// What is missing for CUDA, each thing once and in the order in which it is mended: driver, card, ONNX Runtime with its libraries, torch.
/// </summary>
internal static class CudaDiagnosis
{
    // CUDA 13 is what ONNX Runtime is built for: it needs such a driver, and dropped the cards before Turing.
    private const int OldestDriver = 13000, OldestMajor = 7, OldestMinor = 5;

    private const string BuildForCuda = "build with -p:Accelerator=cuda and -p:Torch=external or cuda (docs/cuda.md)";

    /// <summary>For a machine that may do without: one line where there is no driver, else everything, as warnings.</summary>
    public static IReadOnlyList<MachineFinding> Offered(CudaFacts facts) =>
        facts.Driver.IsInstalled || facts.Driver.Cards.Count > 0 ? Of(facts)
        : [new("cuda", MachineState.Ok, $"{facts.Driver.Fault}: this machine runs on the CPU"
            + (facts.HasProvider ? "; this build could use a card" : ""))];

    /// <summary>For a machine that is to use a card: whatever stands in the way is missing.</summary>
    public static IReadOnlyList<MachineFinding> Needed(CudaFacts facts) =>
        [.. Of(facts).Select(finding => finding.Name.StartsWith("cuda:", StringComparison.Ordinal) || finding.State == MachineState.Ok
            ? finding : finding with { State = MachineState.Missing })];

    /// <summary>Everything that is worth a line.</summary>
    public static IReadOnlyList<MachineFinding> Of(CudaFacts facts)
    {
        var faults = Faults(facts).Select(fault => fault.Finding).ToList();
        var cards = facts.Driver.Cards.Where(card => faults.All(fault => fault.Name != NameOf(card))).Select(Describe);
        return faults.Count == 0 ? [new("cuda", MachineState.Ok, Summary(facts)), .. cards] : [.. faults, .. cards];
    }

    /// <summary>What stands in the way of a use; empty when nothing does.</summary>
    /// <param name="card">Number of the card; null for any.</param>
    public static IReadOnlyList<MachineFinding> Blocking(CudaFacts facts, DeviceUse use, int? card = null)
    {
        var faults = Faults(facts).Where(fault => fault.Uses.Contains(use) && fault.Finding.State != MachineState.Ok
            && (card is null || fault.Card is null || fault.Card == card)).Select(fault => fault.Finding).ToList();
        int count = facts.Driver.Cards.Count;
        if (card >= count && count > 0)
            faults.Add(new($"cuda:{card}", MachineState.Missing, $"there is no card {card}: the last is {count - 1}",
                $"Take one of cuda:0 … cuda:{count - 1}; CUDA_VISIBLE_DEVICES may hide others."));
        return faults;
    }

    private static IEnumerable<(MachineFinding Finding, DeviceUse[] Uses, int? Card)> Faults(CudaFacts facts)
    {
        DeviceUse[] both = [DeviceUse.Running, DeviceUse.Training], running = [DeviceUse.Running];
        foreach (var finding in Driver(facts.Driver)) yield return (finding, both, null);
        foreach (var card in facts.Driver.Cards.Where(card => !card.IsAtLeast(OldestMajor, OldestMinor)))
            yield return (TooOld(card), running, card.Number);
        foreach (var finding in Provider(facts)) yield return (finding, running, null);
        foreach (var finding in Torch(facts)) yield return (finding, both, null);
    }

    private static IEnumerable<MachineFinding> Driver(CudaDriverFacts driver)
    {
        const string Name = "cuda-driver";
        if (driver is { Fault: { } fault, IsInstalled: true })
        {
            yield return Lacks(Name, $"the kernel module {driver.Module ?? "of NVIDIA"} is there, but {fault}",
                "In a container: start it with --gpus all (NVIDIA Container Toolkit). Otherwise the driver's library and module are of two "
                + "versions: restart the machine, or install the driver again.");
        }
        else if (driver.Fault is not null)
        {
            yield return Lacks(Name, $"{driver.Fault}: no driver of NVIDIA", "Install NVIDIA's driver, version 580 or newer.");
        }
        else if (driver.Version < OldestDriver)
        {
            yield return Lacks(Name, $"driver {driver.Module ?? "of unknown version"} serves CUDA {Dotted(driver.Version)}; 13.0 is needed",
                "Install NVIDIA's driver, version 580 or newer.");
        }

        if (driver is { Fault: null, Cards.Count: 0 })
            yield return Lacks("cuda-card", "the driver finds no card", "Look at CUDA_VISIBLE_DEVICES, and at what nvidia-smi lists.");
    }

    private static IEnumerable<MachineFinding> Provider(CudaFacts facts)
    {
        const string Name = "cuda-onnxruntime";
        if (!facts.HasProvider)
            yield return Lacks(Name, "this build has ONNX Runtime for the CPU alone", $"To run models on the card, {BuildForCuda}.");
        foreach (var (library, reason) in facts.MissingLibraries)
        {
            yield return Lacks(library, $"{library} {reason}; ONNX Runtime's CUDA provider needs it",
                $"Install NVIDIA's package {PackageOf(library)}-13-* so that the loader finds it (ldconfig, LD_LIBRARY_PATH), or name a "
                + $"PyTorch for CUDA 13 by {CudaLibraries.LibtorchVariable}: its wheels bring it.");
        }

        if (facts.ProviderFault is { } fault)
            yield return Lacks(Name, $"the CUDA provider does not load: {fault}", "The message names the library or the call that failed.");
    }

    // libcublasLt.so.13 comes with libcublas.
    private static string PackageOf(string library) => library.Split('.')[0] switch
    {
        "libcudart" => "cuda-cudart",
        "libcublasLt" => "libcublas",
        var name => name,
    };

    private static IEnumerable<MachineFinding> Torch(CudaFacts facts)
    {
        const string Name = "cuda-torch";
        var torch = facts.Torch;
        if (torch.Fault is { } fault)
        {
            yield return Lacks(Name, $"libtorch does not load: {fault}", "See torch above.");
        }
        else if (!torch.IsForCuda)
        {
            yield return Lacks(Name, $"libtorch{(torch.Folder is null ? " of this build" : $" in '{torch.Folder}'")} is for the CPU alone",
                $"Add -p:Torch=external to the build and set {CudaLibraries.LibtorchVariable} to the torch/lib of a "
                + "PyTorch for CUDA, or add -p:Torch=cuda where the feed has TorchSharp-cuda-linux (docs/cuda.md).");
        }
        else if (torch.Cards == 0 && facts.Driver.Cards.Count > 0)
        {
            yield return Lacks(Name, $"libtorch {torch.Version ?? ""} is for CUDA and finds no card",
                "Its CUDA may be newer than the driver's, or one of its own libraries may be missing: try it in Python "
                + "(torch.cuda.is_available()).");
        }
    }

    private static MachineFinding TooOld(CudaCard card) => Lacks(NameOf(card),
        $"{card.Name}: compute capability {card.Capability}, and CUDA 13 begins at {OldestMajor}.{OldestMinor}",
        "Take another card, or the device cpu.");

    private static MachineFinding Describe(CudaCard card)
    {
        string found = $"{card.Name}, compute capability {card.Capability}, {Gibi(card.MemoryBytes)}";
        return card.HasBFloat16 ? new(NameOf(card), MachineState.Ok, found)
            : new(NameOf(card), MachineState.Warning, $"{found}; bf16 needs {CudaCard.BFloat16Major}.0",
                "Export models with precision fp16, and train with precision fp32 or fp16.");
    }

    private static string Summary(CudaFacts facts) =>
        $"driver {facts.Driver.Module ?? "there"}, CUDA {Dotted(facts.Driver.Version)}; "
        + $"ONNX Runtime and libtorch {facts.Torch.Version} use it";

    private static string NameOf(CudaCard card) => ComputeDevice.Cuda(card.Number).ToString();

    private static string Dotted(int version) =>
        string.Create(CultureInfo.InvariantCulture, $"{version / 1000}.{version % 1000 / 10}");

    private static string Gibi(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):F1} GiB");

    // A machine without it still works, on its processor.
    private static MachineFinding Lacks(string name, string found, string remedy) => new(name, MachineState.Warning, found, remedy);
}

/// <summary>Whether a card can run a model's graph and hold its weights and caches.</summary>
internal static class CudaModelCheck
{
    /// <exception cref="InvalidDataException">The folder is no model; names the file and the reason.</exception>
    public static IEnumerable<MachineFinding> Of(string folder, int slots, int maxLength, CudaFacts facts)
    {
        var general = GraphFault.OnCard(null, folder);
        yield return general is { } fault ? new("cuda-model", MachineState.Missing, fault.Text, fault.Remedy)
            : new("cuda-model", MachineState.Ok, "its graph is one that ONNX Runtime's CUDA provider runs");

        long bytes = ModelMemory.OnCard(folder, slots, maxLength).TotalBytes;
        foreach (var card in facts.Driver.Cards)
        {
            if (general is null && GraphFault.OnCard(card, folder) is { } unfit)
                yield return new($"{ComputeDevice.Cuda(card.Number)}-model", MachineState.Missing, unfit.Text, unfit.Remedy);
            string found =
                $"{Gibi(bytes)} at most for {slots} slots × {maxLength:N0} tokens, of the {Gibi(card.MemoryBytes)} of {card.Name}";
            string name = $"{ComputeDevice.Cuda(card.Number)}-memory";
            yield return bytes <= card.MemoryBytes ? new(name, MachineState.Ok, found)
                : new(name, MachineState.Missing, found, "Use fewer slots, shorter completions or a smaller model.");
        }
    }

    private static string Gibi(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):F1} GiB");
}
