namespace Distill.Tokenization.Templates.Values;

/// <summary>What a missing name, key or attribute gives: prints nothing, is false, and fails in most operations.</summary>
/// <param name="what">What was looked for, for messages.</param>
internal sealed class Undefined(string what) : Value
{
    public override string TypeName => "Undefined";

    public override bool IsTrue => false;

    public TemplateException Failure() => TemplateException.Undefined($"{what} is undefined");
}
