using Distill.Architecture;
using Distill.Export.Graph;
using Distill.Export.Onnx;
using Distill.Generation;
using Distill.Generation.Onnx;
using Distill.Generation.Torch;
using Distill.Generation.Torch.Memory;
using Distill.Student.Model;
using Distill.Student.Reinforcement;
using static TorchSharp.torch;

namespace Distill.Export;

/// <summary>
/// Serves a student's weights where the trainer keeps them: libtorch owns weights, cache and logits, ONNX Runtime binds them by address,
/// and handing over is waiting until the trainer's work is done. In 16 bits it is one pass more, which rounds the weights into a second
/// vector on the device. One session stays open. Matrices are not packed, so on the processor a row's last bits may depend on whether
/// others run beside it. One model is served at a time, and the parameters must not change meanwhile. One thread.
/// </summary>
internal sealed class DevicePolicyServer : IPolicyServer
{
    private readonly DecoderArchitecture architecture;
    private readonly OnnxModelOptions options;
    private readonly SharedDevice device;
    private readonly InPlaceGraph graph;
    private readonly Tensor? rounded; // [parameters], where runs read other numbers than the trainer's
    private TorchTokenModel? model;
    private (Tensor Vector, BoundWeights Weights)? bound;
    private bool serving;

    /// <param name="options">Name the device that the parameters are on.</param>
    /// <param name="numbers">What runs compute with; null: the trainer's numbers, and fp16 in a card's attention.</param>
    public DevicePolicyServer(DecoderArchitecture architecture, OnnxModelOptions options, PolicyNumbers? numbers = null)
    {
        this.architecture = architecture;
        this.options = options;
        numbers ??= new(OnnxElementType.Float, options.Device.IsCuda ? OnnxElementType.Float16 : OnnxElementType.Float);
        graph = new InPlaceGraph(architecture, numbers.Weights, numbers.Attention);
        device = new SharedDevice(options.Device);
        if (numbers.Weights != OnnxElementType.Float)
        {
            rounded = empty(
                [architecture.ParameterCount], numbers.Weights == OnnxElementType.Float16 ? ScalarType.Float16 : ScalarType.BFloat16,
                device.Device).DetachFromDisposeScope();
        }
    }

    /// <exception cref="InvalidOperationException">What was served last is not disposed.</exception>
    /// <exception cref="InvalidDataException">The parameters belong to another architecture, or the graph cannot be run.</exception>
    public ITokenModel Serve(FlatParameters parameters)
    {
        if (serving) throw new InvalidOperationException("The policy served last is still in use; its weights must not change.");
        if (parameters.Architecture != architecture)
            throw new InvalidDataException("The parameters belong to another architecture than the policy that is served.");
        var weights = WeightsOf(rounded is null ? parameters.Values : Round(parameters.Values, rounded));
        model ??= TorchTokenModel.FromBytes(graph.ToBytes(), architecture.MaxPositions, options, weights);
        serving = true;
        return new Served(this, model, weights);
    }

    public void Dispose()
    {
        model?.Dispose();
        bound?.Weights.Dispose();
        rounded?.Dispose();
        device.Dispose();
    }

    private static Tensor Round(Tensor values, Tensor target)
    {
        using var without = no_grad();
        using var scope = NewDisposeScope();
        target.copy_(values); // to nearest, ties to even
        return target;
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

    private sealed class Served(DevicePolicyServer server, TorchTokenModel model, BoundWeights weights) : IDeviceTokenModel
    {
        public bool IsForOneThread => model.IsForOneThread;

        public int VocabularySize => model.VocabularySize;

        public int MaxLength => model.MaxLength;

        public IDecodeSession Open(int slots, int maxLength) => model.Open(slots, maxLength, weights);

        public void Dispose() => server.serving = false;
    }
}

/// <summary>What a policy's runs compute with.</summary>
/// <param name="Weights">Of the weights and of what flows: fp32, which is the trainer's memory itself, or fp16 or bf16.</param>
/// <param name="Attention">Of the cache and of what attention computes. A card's kernel takes fp16 and bf16.</param>
internal sealed record PolicyNumbers(OnnxElementType Weights, OnnxElementType Attention);
