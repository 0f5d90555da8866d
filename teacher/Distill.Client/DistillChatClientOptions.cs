using System.Globalization;
using Distill.Generation;
using Distill.Generation.Onnx;

namespace Distill.Client;

/// <summary>
/// Which model a <see cref="DistillChatClient"/> runs, and how much of it at once. Read once, when the client is made; later changes do
/// nothing.
/// </summary>
public sealed class DistillChatClientOptions
{
    private const int DefaultLength = 4096;

    /// <summary>The model folder; a relative path begins at the current directory of the process.</summary>
    public string Folder { get; set; } = "";

    /// <summary>
    /// ONNX file relative to the folder, with slashes, e.g. <c>onnx/model_q4.onnx</c>. Default: the one that its configuration names.
    /// </summary>
    public string? GraphFile { get; set; }

    /// <summary>What responses call the model. Default: the folder's name.</summary>
    public string? ModelName { get; set; }

    /// <summary>Threads within one operator; 0, the default, is one per physical core.</summary>
    public int Threads { get; set; }

    /// <summary>Replies decoded together. Memory grows with slots × length. Default 4.</summary>
    public int Slots { get; set; } = 4;

    /// <summary>Longest sequence in tokens, prompt and reply together. Default 4,096, or the model's where that is less.</summary>
    public int? MaxLength { get; set; }

    /// <summary>Requests that may wait for a slot; one more ends with <see cref="EngineBusyException"/>. Default 256.</summary>
    public int MaxWaiting { get; set; } = 256;

    /// <summary>Most bytes for caches and logits. Default 8 GiB.</summary>
    public long MaxCacheBytes { get; set; } = 8L << 30;

    /// <summary>
    /// Where the model runs. The processor is the only place that this package knows; a card is refused rather than replaced by it in
    /// silence.
    /// </summary>
    public ComputeDevice Device { get; set; } = ComputeDevice.Cpu;

    /// <summary>How replies are sampled where a request's options say nothing. Default: greedy.</summary>
    public SamplingOptions Sampling { get; set; } = SamplingOptions.Greedy;

    /// <summary>Seeds of requests that bring none follow from this and their number.</summary>
    public ulong Seed { get; set; }

    /// <summary>
    /// Whether a host loads the model when it starts, so that it does not start with one that cannot be loaded and the first request does
    /// not wait. Default true; else the first use loads it. A client that is opened without a host is loaded at once, whatever this says.
    /// </summary>
    public bool LoadAtStart { get; set; } = true;

    internal string NameOfModel => ModelName ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(Folder)));

    internal int LengthFor(int modelLength) => MaxLength ?? Math.Min(modelLength, DefaultLength);
}

/// <summary>What is wrong with options, before anything is loaded: all of it at once, with what to do.</summary>
internal static class OptionsCheck
{
    /// <returns>Whole sentences; empty when the model may be loaded.</returns>
    public static IReadOnlyList<string> ProblemsOf(DistillChatClientOptions options)
    {
        List<string> problems = [.. Sizes(options)];
        if (FaultOfFolder(options.Folder) is { } fault) problems.Add(fault);
        else if (FaultOfModel(options) is { } unfit) problems.Add(unfit);
        return problems;
    }

    private static IEnumerable<string> Sizes(DistillChatClientOptions options)
    {
        if (options.Threads < 0) yield return $"Threads {options.Threads} must be at least 1, or 0 for one per physical core.";
        if (options.Slots < 1) yield return $"Slots {options.Slots} must be at least 1.";
        if (options.MaxWaiting < 1) yield return $"MaxWaiting {options.MaxWaiting} must be at least 1.";
        if (options.MaxLength is < 2) yield return $"MaxLength {options.MaxLength} must be at least 2 tokens.";
        if (options.Device.IsCuda)
        {
            yield return $"Device {options.Device} cannot be had: this package runs models on the processor alone. "
                + "'distill serve-model --device cuda' serves one from a card, and any OpenAI client reaches it.";
        }

        if (options.Sampling is null) yield return "Sampling is null: SamplingOptions.Greedy is the default.";
        else if (FaultOf(options.Sampling) is { } sampling) yield return sampling;
    }

    private static string? FaultOf(SamplingOptions sampling)
    {
        try
        {
            sampling.Validate();
            return null;
        }
        catch (ArgumentException e)
        {
            return e.Message;
        }
    }

    private static string? FaultOfFolder(string folder)
    {
        if (string.IsNullOrWhiteSpace(folder)) return "Folder is not set: it is the path of a model folder.";
        string path = Path.GetFullPath(folder);
        if (!Directory.Exists(path))
        {
            return $"Folder '{folder}' does not exist"
                + (Path.IsPathFullyQualified(folder)
                    ? "."
                    : $": it was looked for at '{path}'; AppContext.BaseDirectory is where the program lies.");
        }

        if (ModelFolder.Announces(path)) return null;
        return Directory.EnumerateFiles(path, "*.safetensors").Any()
            ? $"Folder '{path}' holds a checkpoint, which is trained and not run: 'distill export' makes a model folder of it."
            : $"Folder '{path}' is no model folder: it has neither {ModelFolder.ConfigurationFile} nor {ModelFolder.CheckpointFile} "
                + "with an ONNX file.";
    }

    private static string? FaultOfModel(DistillChatClientOptions options)
    {
        try
        {
            var folder = ModelFolder.Open(options.Folder, options.GraphFile);
            folder.LoadEncoder().RequireChat();
            return FaultOfLength(options, folder);
        }
        catch (InvalidDataException e)
        {
            return e.Message;
        }
    }

    private static string? FaultOfLength(DistillChatClientOptions options, ModelFolder folder)
    {
        int most = folder.Configuration.ContextLength;
        if (options.MaxLength > most) return $"MaxLength {options.MaxLength} is more than the {most} tokens that the model reads.";
        if (options.Slots < 1 || options.MaxLength is < 2) return null; // said already
        int length = options.LengthFor(most);
        long bytes = folder.MemoryOf(options.Slots, length).TotalBytes;
        return bytes <= options.MaxCacheBytes
            ? null
            : string.Create(CultureInfo.InvariantCulture,
                $"Slots {options.Slots} × MaxLength {length} take {bytes:N0} bytes, and MaxCacheBytes allows {options.MaxCacheBytes:N0}: ")
                + "take fewer slots or less length, or allow more.";
    }
}
