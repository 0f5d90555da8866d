using Distill.Libtorch;
using TorchSharp;
using static TorchSharp.torch;

namespace Distill.Student.Training;

/// <summary>
/// What the formula of a loss computes with, so that it is written once: a number, on the processor, or the same number of many tokens at
/// once, on their device. Immutable.
/// </summary>
/// <typeparam name="T">The implementation itself.</typeparam>
public interface ILossValue<T>
    where T : ILossValue<T>
{
    static abstract T Of(double constant);

    static abstract T operator +(T one, T other);

    static abstract T operator -(T one, T other);

    static abstract T operator *(T one, T other);

    static abstract T operator -(T value);

    static abstract T operator *(double factor, T value);

    static abstract T Exp(T value);

    /// <returns>log(exp(one) + exp(other)), of which one or both may be −∞.</returns>
    static abstract T LogAddExp(T one, T other);

    /// <returns>The value, and 0 where the probability is: what has no probability counts nothing, however far off it is.</returns>
    static abstract T Where(T probability, T value);
}

/// <summary>A number.</summary>
internal readonly record struct LossNumber(double Value) : ILossValue<LossNumber>
{
    public static LossNumber Of(double constant) => new(constant);

    public static LossNumber operator +(LossNumber one, LossNumber other) => new(one.Value + other.Value);

    public static LossNumber operator -(LossNumber one, LossNumber other) => new(one.Value - other.Value);

    public static LossNumber operator *(LossNumber one, LossNumber other) => new(one.Value * other.Value);

    public static LossNumber operator -(LossNumber value) => new(-value.Value);

    public static LossNumber operator *(double factor, LossNumber value) => new(factor * value.Value);

    public static LossNumber Exp(LossNumber value) => new(Math.Exp(value.Value));

    public static LossNumber LogAddExp(LossNumber one, LossNumber other)
    {
        double larger = Math.Max(one.Value, other.Value);
        return new(double.IsNegativeInfinity(larger) ? larger
            : larger + Math.Log(Math.Exp(one.Value - larger) + Math.Exp(other.Value - larger)));
    }

    public static LossNumber Where(LossNumber probability, LossNumber value) => probability.Value > 0 ? value : default;
}

/// <summary>
/// A number of each of many tokens, or one for all of them that costs no operation: fp64 on the tokens' device. Tensors belong to the
/// caller's dispose scope.
/// </summary>
/// <param name="Values">[tokens] or [tokens, classes]; null: the constant.</param>
internal readonly record struct LossColumn(Tensor? Values, double Constant = 0) : ILossValue<LossColumn>
{
    public static LossColumn Of(double constant) => new(null, constant);

    /// <summary>Whether it is 0 for all tokens.</summary>
    public bool IsZero => Values is null && Constant == 0;

    public static LossColumn operator +(LossColumn one, LossColumn other) =>
        one.IsZero ? other : other.IsZero ? one : one.With(
            other, (x, y) => x + y, (x, y) => x.add(y, KeptScalar.One), (x, y) => x.add(y, KeptScalar.One));

    public static LossColumn operator -(LossColumn one, LossColumn other) => one + -other;

    public static LossColumn operator *(LossColumn one, LossColumn other) =>
        one.IsZero || other.IsZero ? default : one.With(other, (x, y) => x * y, (x, y) => x.mul(y), (x, y) => x.mul(y));

    public static LossColumn operator -(LossColumn value) => value.Values is { } tensor ? new(tensor.neg()) : new(null, -value.Constant);

    public static LossColumn operator *(double factor, LossColumn value) => factor == 1 ? value : Of(factor) * value;

    public static LossColumn Exp(LossColumn value) => value.Values is { } tensor ? new(tensor.exp()) : Of(Math.Exp(value.Constant));

    public static LossColumn LogAddExp(LossColumn one, LossColumn other) => new(one.Values!.logaddexp(other.Values!));

    public static LossColumn Where(LossColumn probability, LossColumn value) =>
        value.Values is { } tensor ? new(tensor.masked_fill(probability.Values!.le(KeptScalar.Of(0)), KeptScalar.Of(0))) : value;

    /// <returns>[…] like the shape of what is asked for: the values themselves or the constant.</returns>
    public Tensor Like(Tensor shape)
    {
        if (Values is not null) return Values;
        using Scalar constant = Constant;
        return full_like(shape, constant, ScalarType.Float64);
    }

    private LossColumn With(
        LossColumn other, Func<double, double, double> constants, Func<Tensor, Tensor, Tensor> tensors, Func<Tensor, Scalar, Tensor> mixed)
    {
        if (Values is not null && other.Values is not null) return new(tensors(Values, other.Values));
        if ((Values ?? other.Values) is not { } tensor) return Of(constants(Constant, other.Constant));
        using Scalar scalar = Values is null ? Constant : other.Constant;
        return new(mixed(tensor, scalar));
    }
}
