namespace Distill.Tokenization.Templates.Values;

internal sealed class Boolean : Value
{
    private Boolean(bool value) => Value = value;

    public static Boolean True { get; } = new(true);

    public static Boolean False { get; } = new(false);

    public bool Value { get; }

    public override string TypeName => "bool";

    public override bool IsTrue => Value;

    public static Boolean Of(bool value) => value ? True : False;
}
