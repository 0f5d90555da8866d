using Distill.Architecture;
using Distill.Export.Graph;
using Distill.Export.Onnx;
using Distill.Generation;
using Distill.Generation.Onnx;
using Distill.Generation.Torch;
using Distill.Generation.Torch.Memory;
using Distill.Student.Model;
using Distill.Student.Reinforcement;

namespace Distill.Export;

/// <summary>
/// Serves a student's weights where the trainer keeps them: libtorch owns weights, cache and logits, ONNX Runtime binds them by address, and
/// handing over is waiting until the trainer's work is done. One session stays open. Matrices are not packed, so on the processor a row's
/// last bits may depend on whether others run beside it. One model is served at a time, and the parameters must not change meanwhile.
/// One thread.
/// </summary>
internal sealed class DevicePolicyServer : IPolicyServer
{
    private readonly DecoderArchitecture architecture;
    private readonly OnnxModelOptions options;
    private readonly SharedDevice device;
    private readonly InPlaceGraph graph;
    private TorchTokenModel? model;
    private (Tensor Vector, BoundWeights Weights)? bound;
    private bool serving;

    /// <param name="options">Name the device that the parameters are on.</param>
    /// <param name="attention">
    /// Type of the cache and of what attention computes; null: fp32 on the processor, fp16 on a card, which has no kernel for fp32.
    /// </param>
    public DevicePolicyServer(DecoderArchitecture architecture, OnnxModelOptions options, OnnxElementType? attention = null)
    {
        this.architecture = architecture;
        this.options = options;
        graph = new InPlaceGraph(architecture, attention ?? (options.Device.IsCuda ? OnnxElementType.Float16 : OnnxElementType.Float));
        device = new SharedDevice(options.Device);
    }

    /// <exception cref="InvalidOperationException">What was served last is not disposed.</exception>
    /// <exception cref="InvalidDataException">The parameters belong to another architecture, or the graph cannot be run.</exception>
    public ITokenModel Serve(FlatParameters parameters)
    {
        if (serving) throw new InvalidOperationException("The policy served last is still in use; its weights must not change.");
        if (parameters.Architecture != architecture)
            throw new InvalidDataException("The parameters belong to another architecture than the policy that is served.");
        var weights = WeightsOf(parameters.Values);
        model ??= TorchTokenModel.FromBytes(graph.ToBytes(), architecture.MaxPositions, options, weights);
        serving = true;
        return new Served(this, model, weights);
    }

    public void Dispose()
    {
        model?.Dispose();
        bound?.Weights.Dispose();
        device.Dispose();
    }

    private BoundWeights WeightsOf(Tensor vector)
    {
        if (bound is { } known && ReferenceEquals(known.Vector, vector)) return known.Weights;
        bound?.Weights.Dispose();
        bound = null;
        var weights = new BoundWeights(device, vector, graph.Weights);
        bound = (vector, weights);
        return weights;
    }

    private sealed class Served(DevicePolicyServer server, TorchTokenModel model, BoundWeights weights) : ITokenModel
    {
        public int VocabularySize => model.VocabularySize;

        public int MaxLength => model.MaxLength;

        public IDecodeSession Open(int slots, int maxLength) => model.Open(slots, maxLength, weights);

        public void Dispose() => server.serving = false;
    }
}
