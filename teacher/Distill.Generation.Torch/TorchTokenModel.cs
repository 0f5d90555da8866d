using Distill.Generation.Onnx;
using Distill.Generation.Torch.Memory;
using Distill.Generation.Torch.Sessions;

namespace Distill.Generation.Torch;

/// <summary>
/// A decoder run by ONNX Runtime over memory that libtorch owns, on a GPU or on the CPU: cache, logits and sampling stay on the device.
/// What it says is what <see cref="OnnxTokenModel"/> says; on the CPU, where nothing is gained, it is there to prove that. Opening sessions
/// is safe from any thread, and sessions may run concurrently. Dispose it after its sessions.
/// </summary>
internal sealed class TorchTokenModel : ITokenModel
{
    private readonly OnnxTokenModel model;
    private readonly SharedDevice device;

    private TorchTokenModel(OnnxTokenModel model, SharedDevice device) => (this.model, this.device) = (model, device);

    public int VocabularySize => model.VocabularySize;

    public int MaxLength => model.MaxLength;

    /// <summary>Loads a model folder onto the device that the options name.</summary>
    /// <exception cref="InvalidDataException">Names the file and the reason; also when the graph's cache grows by copies.</exception>
    /// <exception cref="DeviceUnavailableException">The device cannot be had; says why.</exception>
    public static TorchTokenModel Load(ModelFolder folder, OnnxModelOptions? options = null) =>
        Load(options, trial => OnnxTokenModel.Load(folder, options, trial));

    /// <summary>Loads a model of bytes that holds its own weights, or whose sessions bind them.</summary>
    /// <param name="weights">
    /// What the graph takes as inputs; null when it holds its own. Needed until the model is loaded: <see cref="Open(int, int,
    /// BoundWeights?)"/> takes them anew.
    /// </param>
    /// <inheritdoc cref="Load(ModelFolder, OnnxModelOptions?)"/>
    public static TorchTokenModel FromBytes(
        ReadOnlyMemory<byte> model, int maxLength, OnnxModelOptions? options = null, BoundWeights? weights = null) =>
        Load(options, trial => OnnxTokenModel.FromBytes(model, maxLength, options, trial, weights: weights?.Names), weights);

    private static TorchTokenModel Load(
        OnnxModelOptions? options, Func<Func<OnnxTokenModel, IDecodeSession>, OnnxTokenModel> load, BoundWeights? weights = null)
    {
        var device = new SharedDevice(options?.Device ?? ComputeDevice.Cpu);
        try
        {
            OnnxTokenModel model = load(trial => new TorchDecodeSession(RequireSharedCache(trial), device, 1, 2, weights));
            return new TorchTokenModel(model, device);
        }
        catch
        {
            device.Dispose();
            throw;
        }
    }

    private static OnnxTokenModel RequireSharedCache(OnnxTokenModel model) => !model.Signature.Layout.Grows ? model
        : throw new InvalidDataException(
            $"{model.Source} returns a new and longer cache from every run. With its cache on a device the engine needs a graph that "
                + "appends in place (GroupQueryAttention): export it again, or run it on the processor.");

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The session would take more than <see cref="OnnxModelOptions.MaxCacheBytes"/>.</exception>
    public IDecodeSession Open(int slots, int maxLength) => Open(slots, maxLength, null);

    /// <param name="weights">Read in place by every run of the session, after which they may be disposed.</param>
    /// <inheritdoc cref="Open(int, int)"/>
    public IDecodeSession Open(int slots, int maxLength, BoundWeights? weights)
    {
        model.RequireRoom(slots, maxLength, slots);
        return new TorchDecodeSession(model, device, slots, maxLength, weights);
    }

    public void Dispose()
    {
        model.Dispose();
        device.Dispose();
    }
}
