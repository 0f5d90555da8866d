using System.Text.Json.Nodes;
using Distill.Generation;
using Distill.Generation.Onnx;
using Distill.GpuCheck.Parts;

namespace Distill.GpuCheck;

/// <summary>One thing that is checked. A new one is a class and one line in <see cref="CheckParts"/>.</summary>
internal interface ICheckPart
{
    /// <summary>As on the command line.</summary>
    string Name { get; }

    /// <summary>What it asks, in one line.</summary>
    string Question { get; }

    /// <summary>Seconds after which it is ended.</summary>
    int Limit { get; }

    PartResult Run(CheckContext context);
}

/// <summary>What a part found.</summary>
/// <param name="Passed">Null where it only measures.</param>
/// <param name="Figures">By name; of the machine and the build it ran on.</param>
internal sealed record PartResult(bool? Passed, JsonObject Figures);

/// <summary>Every part, in the order in which they run.</summary>
internal static class CheckParts
{
    public static IReadOnlyList<ICheckPart> All { get; } =
    [
        new DoctorPart(),
        new ParityPart(),
        new TrainingPart(),
        new HandOverPart(),
        new DecodePart(),
        new RecordedPart(),
        new StepPart(),
        new MemoryPart(),
        new QuickstartPart(),
    ];
}

/// <summary>What a part may use. Dispose it: its folder goes with it.</summary>
/// <param name="note">Takes what is known so far, for the report of a part that does not come to its end.</param>
internal sealed class CheckContext(ComputeDevice device, TimeProvider clock, Action<string> note) : IDisposable
{
    /// <summary>What is checked against the processor.</summary>
    public ComputeDevice Device { get; } = device;

    /// <summary>Sizes that only show that everything runs; the figures mean nothing.</summary>
    public bool IsSmall => !Device.IsCuda;

    public TimeProvider Clock { get; } = clock;

    /// <summary>How a decoder is run on the device; on the processor in a way that leaves torch its cores.</summary>
    public OnnxModelOptions Decoding => IsSmall ? new() { IntraOpThreads = 1, AllowSpinning = false } : new() { Device = Device };

    /// <summary>For files of the part.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("distill-gpu-check-").FullName;

    /// <summary>The committed base, a checkpoint.</summary>
    public static string Base => Path.Combine(AppContext.BaseDirectory, "models", "tiny-base");

    /// <summary>The committed teacher, an ONNX folder.</summary>
    public static string Teacher => Path.Combine(AppContext.BaseDirectory, "models", "tiny-reasoner");

    /// <summary>Says a figure as soon as it is known.</summary>
    /// <returns><paramref name="figure"/>.</returns>
    public JsonObject Noted(string name, JsonObject figure)
    {
        note($"{name}: {figure.ToJsonString()}");
        return figure;
    }

    public double Seconds(Action work)
    {
        long began = Clock.GetTimestamp();
        work();
        return Clock.GetElapsedTime(began).TotalSeconds;
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
