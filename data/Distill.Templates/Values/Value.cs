using System.Numerics;

namespace Distill.Templates.Values;

/// <summary>A value a template can hold, with Python's meaning. Nothing of the host can be reached through one.</summary>
internal abstract class Value
{
    /// <summary>Python's name of the type, for messages.</summary>
    public abstract string TypeName { get; }

    public virtual bool IsTrue => true;

    public override string ToString() => TypeName;
}

internal sealed class None : Value
{
    private None() { }

    public static None Instance { get; } = new();

    public override string TypeName => "NoneType";

    public override bool IsTrue => false;
}

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

internal sealed class Integer(BigInteger value) : Value
{
    public BigInteger Value { get; } = value;

    public override string TypeName => "int";

    public override bool IsTrue => !Value.IsZero;
}

internal sealed class Float(double value) : Value
{
    public double Value { get; } = value;

    public override string TypeName => "float";

    public override bool IsTrue => Value != 0;
}

/// <summary>What a missing name, key or attribute gives: prints nothing, is false, and fails in most operations.</summary>
/// <param name="what">What was looked for, for messages.</param>
/// <param name="isUnsafe">The sandbox keeps it from templates: its name begins with '_', or it would change a value.</param>
internal sealed class Undefined(string what, bool isUnsafe = false) : Value
{
    public override string TypeName => "Undefined";

    public override bool IsTrue => false;

    /// <summary>For a member that a value lacks, or that templates may not see.</summary>
    public static Undefined Member(Value value, string name) =>
        new($"'{value.TypeName} object' has no attribute '{name}'; it", isUnsafe: name.StartsWith('_'));

    public TemplateException Failure() => isUnsafe
        ? new TemplateException(TemplateFault.Security, $"{what} is not safe")
        : TemplateException.Undefined($"{what} is undefined");
}
