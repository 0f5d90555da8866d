using Distill.Generation.Onnx;

namespace Distill.Generation.Torch;

/// <summary>
/// Opens models where their options say: on a card with cache, logits and sampling there, on the processor with all of it in the host's
/// memory, which is faster than libtorch's there.
/// </summary>
internal static class DeviceModels
{
    /// <inheritdoc cref="TorchTokenModel.Load(ModelFolder, OnnxModelOptions?)"/>
    public static ITokenModel Load(ModelFolder folder, OnnxModelOptions options) =>
        options.Device.IsCuda ? TorchTokenModel.Load(folder, options) : OnnxTokenModel.Load(folder, options);

    /// <summary>Of a graph that holds its weights.</summary>
    /// <inheritdoc cref="TorchTokenModel.FromBytes"/>
    public static ITokenModel FromBytes(ReadOnlyMemory<byte> model, int maxLength, OnnxModelOptions options) =>
        options.Device.IsCuda ? TorchTokenModel.FromBytes(model, maxLength, options)
            : OnnxTokenModel.FromBytes(model, maxLength, options);
}
