namespace Distill.Templates;

/// <summary>Why a template could not be rendered.</summary>
public enum TemplateFault
{
    /// <summary>The template itself said no, by <c>raise_exception</c>; the message is its own.</summary>
    Raised,

    /// <summary>The text is not a template.</summary>
    Syntax,

    /// <summary>A value that does not exist was used.</summary>
    Undefined,

    /// <summary>An operation does not suit its values.</summary>
    Type,

    /// <summary>The template reached for what templates may not have, such as changing its variables.</summary>
    Security,

    /// <summary>Steps, output, depth or time ran out.</summary>
    Limit,

    /// <summary>A feature of Jinja that is left out here on purpose.</summary>
    Unsupported,
}

/// <summary>A template could not be rendered for these messages, or at all.</summary>
public sealed class TemplateException(TemplateFault fault, string message) : Exception(message)
{
    public TemplateFault Fault { get; } = fault;

    internal static TemplateException Syntax(string message) => new(TemplateFault.Syntax, message);

    internal static TemplateException Type(string message) => new(TemplateFault.Type, message);

    internal static TemplateException Undefined(string message) => new(TemplateFault.Undefined, message);

    internal static TemplateException Limit(string message) => new(TemplateFault.Limit, message);

    internal static TemplateException Unsupported(string message) => new(TemplateFault.Unsupported, message);
}
