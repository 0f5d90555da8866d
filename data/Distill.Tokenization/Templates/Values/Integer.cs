using System.Numerics;

namespace Distill.Tokenization.Templates.Values;

internal sealed class Integer(BigInteger value) : Value
{
    public BigInteger Value { get; } = value;

    public override string TypeName => "int";

    public override bool IsTrue => !Value.IsZero;
}
