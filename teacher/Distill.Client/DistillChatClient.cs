using Distill.Generation;
using Distill.Generation.Onnx;
using Microsoft.Extensions.AI;

namespace Distill.Client;

/// <summary>
/// A model folder as an <see cref="IChatClient"/> that owns all it needs: the model, the engine with its threads, the tokenizer.
/// <code>
/// using var client = DistillChatClient.Open(folder);
/// var response = await client.GetResponseAsync("What is (3 + 4) * 2?");
/// </code>
/// Behaves as <see cref="EngineChatClient"/> does, which also serves an engine that others share. Thread-safe: open one for each model and
/// ask it from everywhere, because callers share its running batch and every other one would load the weights again.
/// Whoever opened it disposes it, at any time: requests that still run end with <see cref="ObjectDisposedException"/>. One that a container
/// made is the container's.
/// </summary>
public sealed class DistillChatClient : DelegatingChatClient
{
    private readonly OnnxTokenModel model;
    private readonly GenerationEngine engine;
    private int disposed;

    private DistillChatClient(OnnxTokenModel model, GenerationEngine engine, EngineChatClient inner)
        : base(inner) => (this.model, this.engine) = (model, engine);

    /// <summary>What runs the model: its load and its progress.</summary>
    internal GenerationEngine Engine => engine;

    /// <summary>Loads a model folder, which takes about as long as reading its weights.</summary>
    /// <param name="folder">Made by <c>distill export</c>, or laid out for ONNX Runtime GenAI, Optimum or transformers.js.</param>
    /// <param name="configure">Sets what is not to be as it is by default.</param>
    /// <exception cref="ArgumentException">
    /// Names every option that is impossible, or impossible for this model, with what to do.
    /// </exception>
    /// <exception cref="InvalidDataException">The model cannot be loaded; names the file and the reason.</exception>
    /// <exception cref="DllNotFoundException">There is no ONNX Runtime for this system.</exception>
    public static DistillChatClient Open(string folder, Action<DistillChatClientOptions>? configure = null)
    {
        var options = new DistillChatClientOptions { Folder = folder };
        configure?.Invoke(options);
        return Open(options);
    }

    /// <inheritdoc cref="Open(string, Action{DistillChatClientOptions}?)"/>
    public static DistillChatClient Open(DistillChatClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return OptionsCheck.ProblemsOf(options) is { Count: > 0 } problems
            ? throw new ArgumentException("This model cannot be opened so: " + string.Join(" ", problems), nameof(options))
            : Load(options);
    }

    /// <param name="options">They have been checked.</param>
    /// <inheritdoc cref="Open(DistillChatClientOptions)"/>
    internal static DistillChatClient Load(DistillChatClientOptions options)
    {
        var folder = ModelFolder.Open(options.Folder, options.GraphFile);
        var encoder = folder.LoadEncoder().RequireChat();
        OnnxTokenModel? model = null;
        GenerationEngine? engine = null;
        try
        {
            model = OnnxTokenModel.Load(
                folder, new OnnxModelOptions { IntraOpThreads = options.Threads, MaxCacheBytes = options.MaxCacheBytes });
            engine = new GenerationEngine(model, new EngineOptions
            {
                Slots = options.Slots, MaxLength = options.LengthFor(model.MaxLength), MaxWaiting = options.MaxWaiting,
            });
            var inner = new EngineChatClient(engine, encoder, options.NameOfModel, options.Sampling, options.Seed);
            return new DistillChatClient(model, engine, inner);
        }
        catch
        {
            engine?.Dispose();
            model?.Dispose();
            throw;
        }
    }

    protected override void Dispose(bool disposing)
    {
        // A second caller must not take the model from under threads that the first one still waits for.
        if (!disposing || Interlocked.Exchange(ref disposed, 1) != 0) return;
        engine.Dispose();
        base.Dispose(disposing);
        model.Dispose();
    }
}
