namespace Distill.Tokenization.Templates.Values;

/// <summary>A value a template can hold, with Python's meaning. Nothing of the host can be reached through one.</summary>
internal abstract class Value
{
    /// <summary>Python's name of the type, for messages.</summary>
    public abstract string TypeName { get; }

    public virtual bool IsTrue => true;

    public override string ToString() => TypeName;
}
