namespace Distill.Tokenization;

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
