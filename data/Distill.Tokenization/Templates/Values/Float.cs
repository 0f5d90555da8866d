namespace Distill.Tokenization.Templates.Values;

internal sealed class Float(double value) : Value
{
    public double Value { get; } = value;

    public override string TypeName => "float";

    public override bool IsTrue => Value != 0;
}
