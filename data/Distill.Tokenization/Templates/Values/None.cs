namespace Distill.Tokenization.Templates.Values;

internal sealed class None : Value
{
    private None() { }

    public static None Instance { get; } = new();

    public override string TypeName => "NoneType";

    public override bool IsTrue => false;
}
