using Distill.Generation.Onnx;
using Distill.Generation.Torch.Memory;
using Distill.Generation.Torch.Sessions;

namespace Distill.Generation.Torch;

/// <summary>
/// A decoder run by ONNX Runtime over memory that libtorch owns, on a GPU or on the CPU: cache, logits and sampling stay on the device.
/// What it says is what <see cref="OnnxTokenModel"/> says; on the CPU, where nothing is gained, it is there to prove that. Opening sessions
/// is safe from any thread, and sessions may run concurrently. Dispose it after its sessions.
/// </summary>
internal sealed class TorchTokenModel : IDeviceTokenModel
{
    // Sessions whose steps are recorded have lengths in steps of this, so that more of them can take over what another leaves.
    private const int LengthStep = 64;

    // What a closed session leaves is kept for the next one, if it is no more than this.
    private const long MostSpareBytes = 2L << 30;

    private readonly OnnxTokenModel model;
    private readonly SharedDevice device;
    private readonly RecordedRuns? recorded;
    private readonly Lock gate = new();
    private DecodeBuffers? spare;
    private bool disposed;

    private TorchTokenModel(OnnxTokenModel model, SharedDevice device, RecordedRuns? recorded) =>
        (this.model, this.device, this.recorded) = (model, device, recorded);

    public int VocabularySize => model.VocabularySize;

    public int MaxLength => model.MaxLength;

    /// <inheritdoc/>
    public bool IsForOneThread => device.Compute.IsCuda;

    /// <summary>Whether steps are recorded and repeated, as was asked for and as the graph allows.</summary>
    internal bool RecordsSteps => recorded is not null;

    /// <summary>Loads a model folder onto the device that the options name.</summary>
    /// <exception cref="InvalidDataException">Names the file and the reason; also when the graph's cache grows by copies.</exception>
    /// <exception cref="DeviceUnavailableException">The device cannot be had; says why.</exception>
    public static TorchTokenModel Load(ModelFolder folder, OnnxModelOptions? options = null) =>
        Load(options, (how, trial) => OnnxTokenModel.Load(folder, how, trial));

    /// <summary>Loads a model of bytes that holds its own weights, or whose sessions bind them.</summary>
    /// <param name="weights">
    /// What the graph takes as inputs; null when it holds its own. Needed until the model is loaded: <see cref="Open(int, int,
    /// BoundWeights?)"/> takes them anew.
    /// </param>
    /// <inheritdoc cref="Load(ModelFolder, OnnxModelOptions?)"/>
    public static TorchTokenModel FromBytes(
        ReadOnlyMemory<byte> model, int maxLength, OnnxModelOptions? options = null, BoundWeights? weights = null) =>
        Load(options, (how, trial) => OnnxTokenModel.FromBytes(model, maxLength, how, trial, weights: weights?.Names), weights);

    private static TorchTokenModel Load(
        OnnxModelOptions? options, Func<OnnxModelOptions?, Func<OnnxTokenModel, IDecodeSession>, OnnxTokenModel> load,
        BoundWeights? weights = null)
    {
        var device = new SharedDevice(options?.Device ?? ComputeDevice.Cpu);
        try
        {
            var recorded = options is { Cuda.CapturesGraphs: true } ? new RecordedRuns() : null;
            try
            {
                return new TorchTokenModel(load(options, trial => Trial(trial, device, weights, recorded)), device, recorded);
            }
            catch (InvalidDataException) when (recorded is not null)
            {
                // The provider takes no graph with a node on the processor if it shall record: if that is all that is wrong, it runs as
                // it is.
                options = options! with { Cuda = options.Cuda with { CapturesGraphs = false } };
                return new TorchTokenModel(load(options, trial => Trial(trial, device, weights, null)), device, null);
            }
        }
        catch
        {
            device.Dispose();
            throw;
        }
    }

    private static TorchDecodeSession Trial(OnnxTokenModel model, SharedDevice device, BoundWeights? weights, RecordedRuns? recorded)
    {
        if (model.Signature.Layout.Grows)
        {
            throw new InvalidDataException(
                $"{model.Source} returns a new and longer cache from every run. With its cache on a device the engine needs a graph that "
                    + "appends in place (GroupQueryAttention): export it again, or run it on the processor.");
        }

        var records = recorded is null ? null : new StepRecords(recorded, slots: 1, after: 0);
        return new(model, device, new DecodeBuffers(model, device, 1, 2, weights, records), 2, buffers => buffers.Dispose());
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The session would take more than <see cref="OnnxModelOptions.MaxCacheBytes"/>.</exception>
    public IDecodeSession Open(int slots, int maxLength) => Open(slots, maxLength, null);

    /// <param name="weights">Read in place by every run of the session, after which they may be disposed.</param>
    /// <inheritdoc cref="Open(int, int)"/>
    public IDecodeSession Open(int slots, int maxLength, BoundWeights? weights)
    {
        model.RequireRoom(slots, maxLength, slots);
        using var turn = CardTurn.Shared();
        return new TorchDecodeSession(model, device, Take(slots, CapacityFor(slots, maxLength), weights), maxLength, GiveBack);
    }

    public void Dispose()
    {
        lock (gate)
        {
            disposed = true;
            spare?.Dispose();
            spare = null;
        }

        model.Dispose();
        device.Dispose();
    }

    // As much as is asked for, where the rest of a step would be more than is allowed.
    private int CapacityFor(int slots, int maxLength)
    {
        if (recorded is null) return maxLength;
        int capacity = Math.Min((maxLength + LengthStep - 1) / LengthStep * LengthStep, MaxLength);
        return model.HasRoom(slots, capacity) ? capacity : maxLength;
    }

    private DecodeBuffers Take(int slots, int capacity, BoundWeights? weights)
    {
        lock (gate)
        {
            var left = spare;
            spare = null;
            if (left?.Suits(slots, capacity, weights) == true) return left;
            left?.Dispose(); // its memory may be what the new ones need
        }

        var records = recorded is null ? null : new StepRecords(recorded, slots);
        return new DecodeBuffers(model, device, slots, capacity, weights, records);
    }

    private void GiveBack(DecodeBuffers buffers)
    {
        lock (gate)
        {
            if (recorded is not null && spare is null && !disposed && buffers.Memory.TotalBytes <= MostSpareBytes) spare = buffers;
            else buffers.Dispose();
        }
    }
}
