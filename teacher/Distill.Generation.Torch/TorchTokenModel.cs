using Distill.Generation.Onnx;
using Distill.Generation.Torch.Memory;
using Distill.Generation.Torch.Sessions;

namespace Distill.Generation.Torch;

/// <summary>
/// A decoder run by ONNX Runtime over memory that libtorch owns, on a GPU or on the CPU: cache, logits and sampling stay on the device. What
/// it says is what <see cref="OnnxTokenModel"/> says; on the CPU, where nothing is gained, it is there to prove that. Opening sessions is
/// safe from any thread, and sessions may run concurrently. Dispose it after its sessions.
/// </summary>
internal sealed class TorchTokenModel : ITokenModel
{
    private readonly OnnxTokenModel model;
    private readonly SharedDevice device;

    private TorchTokenModel(OnnxTokenModel model, SharedDevice device)
    {
        this.model = model;
        this.device = device;
    }

    public int VocabularySize => model.VocabularySize;

    public int MaxLength => model.MaxLength;

    /// <summary>Loads a model folder.</summary>
    /// <param name="device"><c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.</param>
    /// <exception cref="InvalidDataException">Names the file and the reason; also when the graph's cache grows by copies.</exception>
    public static TorchTokenModel Load(ModelFolder folder, string device, OnnxModelOptions? options = null)
    {
        var model = Of(OnnxTokenModel.LoadUntried(folder, options), device);
        try
        {
            using var session = model.Open(1, 2);
            model.model.Try(session);
            return model;
        }
        catch (ArgumentException e)
        {
            model.Dispose();
            throw new InvalidDataException(e.Message, e);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Takes a loaded model over, also when it fails.</summary>
    /// <inheritdoc cref="Load"/>
    public static TorchTokenModel Of(OnnxTokenModel model, string device)
    {
        try
        {
            if (model.Signature.Layout.Grows)
                throw new InvalidDataException(
                    $"{model.Source} returns a new and longer cache from every run. On a device the engine needs a graph that appends in "
                        + "place (GroupQueryAttention): export it again, or run it on the CPU.");
            return new TorchTokenModel(model, new SharedDevice(device));
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The session would take more than <see cref="OnnxModelOptions.MaxCacheBytes"/>.</exception>
    public IDecodeSession Open(int slots, int maxLength)
    {
        model.RequireRoom(slots, maxLength, slots);
        return new TorchDecodeSession(model, device, slots, maxLength);
    }

    public void Dispose()
    {
        model.Dispose();
        device.Dispose();
    }
}
