using Distill.Libtorch;
using Distill.Student.Fused;
using TorchSharp;
using static TorchSharp.torch;

namespace Distill.Student.Model;

/// <summary>
/// <see cref="StochasticRounding"/> by tensor operations: the same random bits by the same hash, so that the same values come out on every
/// device. Works by exact arithmetic in place of the float's bits, which TorchSharp cannot show as integers: a value divided by the step of
/// bf16 at its size has 8 bits before the point and 16 behind it. Beyond 2¹⁰⁴ it gives NaN, as it does for what is not finite; a negative
/// zero loses its sign.
/// </summary>
internal static class TensorRounding
{
    // The unit in the first place of a float by four exact operations: Rump 2009, doi 10.1137/080738490, algorithm 3.6.
    private const double FirstPlace = (1 << 23) + 1, Predecessor = 1 - (1.0 / (1 << 24));
    private const double BitsOfStep = 1.0 / (1 << 7);
    private const double LeastStep = 1.0 / (1UL << 63) / (1UL << 63) / (1 << 7); // 2⁻¹³³: bf16's smallest value

    /// <param name="values">[count] fp32</param>
    /// <param name="target">[count] bf16, overwritten.</param>
    /// <param name="first">Index of the first value in the stream.</param>
    public static void Round(Tensor values, Tensor target, long first, (uint Inner, uint Outer) key)
    {
        using var scope = NewDisposeScope();
        var sign = values.sign();
        var step = Steps(values, sign);
        var noise = Random(values.numel(), first, key, values.device).to(ScalarType.Float32)
            .mul_(KeptScalar.Of(1.0 / (1 << 16))).mul_(sign);
        target.copy_(values.div(step).add_(noise, KeptScalar.One).trunc_().mul_(step));
    }

    // [count]: the step of bf16 at each value, a power of two
    private static Tensor Steps(Tensor values, Tensor sign)
    {
        var scaled = values.mul(KeptScalar.Of(FirstPlace));
        return scaled.sub_(scaled.mul(KeptScalar.Of(Predecessor))).mul_(sign)
            .mul_(KeptScalar.Of(BitsOfStep)).clamp_min_(KeptScalar.Of(LeastStep));
    }

    // [count] int32 in 0..65535; int32 products and differences wrap, and a shift that drags the sign along is masked. Subtracted, because
    // an addition of integers would make a scalar: see KeptScalar.One.
    private static Tensor Random(long count, long first, (uint Inner, uint Outer) key, Device device)
    {
        Tensor Constant(uint bits)
        {
            using Scalar value = unchecked((int)bits);
            return full([], value, ScalarType.Int32, device);
        }

        Tensor Shifted(Tensor x, int places) =>
            x.bitwise_right_shift(Constant((uint)places)).bitwise_and_(Constant(uint.MaxValue >> places));
        var x = arange(KeptScalar.Of(0), KeptScalar.Of(count), KeptScalar.One, ScalarType.Int32, device)
            .sub_(Constant(unchecked((uint)-first))).bitwise_xor_(Constant(key.Inner));
        x.bitwise_xor_(Shifted(x, 16)).mul_(Constant(StochasticRounding.FirstFactor));
        x.bitwise_xor_(Shifted(x, 15)).sub_(Constant(unchecked(0 - key.Outer))).mul_(Constant(StochasticRounding.SecondFactor));
        return Shifted(x, 16);
    }
}
