namespace Distill.Tokenization;

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
