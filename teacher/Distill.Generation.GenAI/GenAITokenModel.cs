using System.Text.Json;
using Distill.Generation.Onnx;
using Distill.Storage;
using Microsoft.ML.OnnxRuntimeGenAI;

namespace Distill.Generation.GenAI;

/// <summary>
/// A decoder run by ONNX Runtime GenAI on the CPU, over the same libonnxruntime as <see cref="OnnxTokenModel"/>. Each row is a generator of
/// its own: rows run one after another, and a row copied is read again. Opening sessions is safe from any thread, and sessions may run
/// concurrently. Dispose it after its sessions.
/// </summary>
public sealed class GenAITokenModel : ITokenModel
{
    private readonly Model model;
    private readonly ModelFolder folder;
    private readonly long maxCacheBytes;

    private GenAITokenModel(Model model, ModelFolder folder, long maxCacheBytes)
    {
        this.model = model;
        this.folder = folder;
        this.maxCacheBytes = maxCacheBytes;
    }

    public int VocabularySize => folder.Configuration.VocabularySize;

    public int MaxLength => folder.Configuration.ContextLength;

    /// <summary>Name of the output that holds the logits.</summary>
    internal string LogitsName => folder.Configuration.Names.Logits;

    /// <summary>Whether a row can forget its last tokens: what slid out of a window does not come back.</summary>
    internal bool CanRewind => folder.Configuration.SlidingWindow is null;

    /// <summary>The folder, for messages.</summary>
    internal string Source => folder.Path;

    /// <summary>Loads a folder with genai_config.json, after the checks that the own backend makes, and runs two tokens.</summary>
    /// <exception cref="InvalidDataException">Names the folder and the reason.</exception>
    /// <exception cref="DeviceUnavailableException">Another device than the processor is asked for.</exception>
    public static GenAITokenModel Load(string folder, OnnxModelOptions? options = null) => Load(ModelFolder.Open(folder), options);

    /// <inheritdoc cref="Load(string, OnnxModelOptions?)"/>
    public static GenAITokenModel Load(ModelFolder folder, OnnxModelOptions? options = null)
    {
        options ??= new OnnxModelOptions();
        if (options.Device.IsCuda)
            throw new DeviceUnavailableException(
                $"{options.Device} was asked for: ONNX Runtime GenAI runs on the processor here.",
                "Take the engine onnx, or the device cpu.");
        GenAIFolder.Require(folder);
        GenAITokenModel? loaded = null;
        try
        {
            // GenAI looks for a libonnxruntime by name and finds the one that is loaded already; without one it might find the system's.
            _ = RuntimeTelemetry.Runtime;
            Utils.DisableTelemetryEvents();
            using var configuration = new Config(folder.Path);
            configuration.ClearProviders();
            configuration.Overlay(Overlay(options, folder));
            loaded = new GenAITokenModel(new Model(configuration), folder, options.MaxCacheBytes);
            loaded.Probe();
            return loaded;
        }
        catch (OnnxRuntimeGenAIException e)
        {
            loaded?.Dispose();
            throw new InvalidDataException(Printable.Of($"{folder.Path}: ONNX Runtime GenAI cannot load it: {e.Message}"), e);
        }
        catch
        {
            loaded?.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The rows would take more than <see cref="OnnxModelOptions.MaxCacheBytes"/>.</exception>
    public IDecodeSession Open(int slots, int maxLength)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(slots, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLength, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxLength, MaxLength);
        long bytes = folder.MemoryOf(slots, maxLength).TotalBytes;
        if (bytes > maxCacheBytes)
        {
            throw new ArgumentException(
                $"{Source}: {slots} slots × {maxLength} tokens take {bytes:N0} bytes of cache, and {maxCacheBytes:N0} are allowed: use "
                    + $"fewer slots, fewer tokens per completion (max tokens), or raise {nameof(OnnxModelOptions.MaxCacheBytes)}.",
                nameof(slots));
        }

        return new GenAIDecodeSession(this, slots, maxLength);
    }

    public void Dispose() => model.Dispose();

    /// <summary>What ONNX Runtime GenAI makes of the folder's tokenizer files. The caller disposes it, before this.</summary>
    /// <exception cref="InvalidDataException">It cannot read them.</exception>
    internal GenAITokenizer OpenTokenizer() => new(model, Source);

    /// <summary>A generator for one row, whose cache is as long as a sliding window at least. The caller disposes it.</summary>
    internal Generator CreateGenerator(int maxLength)
    {
        using var parameters = new GeneratorParams(model);
        parameters.SetSearchOption("max_length", Math.Max(maxLength, folder.Configuration.SlidingWindow?.Size ?? 0));
        parameters.SetSearchOption("batch_size", 1);
        parameters.SetSearchOption("num_beams", 1);
        return new Generator(model, parameters);
    }

    // The folder says on what its authors ran it; where and with how many threads it runs here is not the folder's to say.
    internal static string Overlay(OnnxModelOptions options, ModelFolder folder)
    {
        var session = new Dictionary<string, object>
        {
            ["log_severity_level"] = 4, // faults arrive as exceptions
            ["session.intra_op.allow_spinning"] = options.AllowSpinning ? "1" : "0",
        };
        if (options.IntraOpThreads > 0) session["intra_op_num_threads"] = options.IntraOpThreads;
        return JsonSerializer.Serialize(new
        {
            model = new { decoder = new { filename = folder.Configuration.GraphFile, session_options = session } },
        });
    }

    // Some graphs load and fail at their first step; the folder must be refused before the first batch.
    private void Probe()
    {
        using var session = Open(1, 2);
        float[] logits = new float[VocabularySize];
        session.Prefill(0, [0], logits);
        session.Step([0], logits);
    }
}
