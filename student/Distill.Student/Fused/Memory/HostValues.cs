using static TorchSharp.torch;

namespace Distill.Student.Fused;

/// <summary>
/// fp32 values of a tensor as the processor's own memory. Only the passes for the processor ask for it: everything else works on tensors,
/// wherever these lie.
/// </summary>
internal static unsafe class HostValues
{
    /// <param name="values">Contiguous fp32 on the CPU; must outlive the span.</param>
    /// <exception cref="InvalidOperationException">It lies elsewhere, is of another type, or has more values than a span holds.</exception>
    public static Span<float> Of(Tensor values)
    {
        if (values.numel() > int.MaxValue)
            throw new InvalidOperationException($"{values.numel():N0} values are more than a span holds ({int.MaxValue:N0}).");
        return new Span<float>(PointerOf(values), (int)values.numel());
    }

    /// <inheritdoc cref="Of"/>
    public static float* PointerOf(Tensor values)
    {
        if (values.device_type != TorchSharp.DeviceType.CPU)
            throw new InvalidOperationException($"These values lie on {values.device}: the processor cannot read them in place.");
        if (values.dtype != ScalarType.Float32 || !values.is_contiguous())
            throw new InvalidOperationException("Only contiguous fp32 values can be read in place.");
        return NativeRows.PointerOf(values);
    }
}
