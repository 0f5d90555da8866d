using Distill.Tokenization.Templates.Library;
using Distill.Tokenization.Templates.Runtime;
using Distill.Tokenization.Templates.Syntax;
using Distill.Tokenization.Templates.Values;

namespace Distill.Tokenization.Templates;

/// <summary>
/// A parsed Jinja template (the language of Jinja 3.1 that chat templates use, with transformers' settings). Rendering is bounded and
/// reaches
/// nothing but the variables given. Immutable and thread-safe.
/// </summary>
internal sealed class Template
{
    private readonly IReadOnlyList<Statement> _body;
    private readonly TemplateLimits _limits;

    private Template(IReadOnlyList<Statement> body, TemplateLimits limits) => (_body, _limits) = (body, limits);

    /// <exception cref="TemplateException">The text is not a template, or too large.</exception>
    public static Template Parse(string source, TemplateLimits? limits = null) =>
        new(TemplateParser.Parse(source, limits ?? TemplateLimits.Default), limits ?? TemplateLimits.Default);

    /// <param name="variables">Makes the variables.</param>
    /// <exception cref="TemplateException">The template failed, refused, or went beyond its limits.</exception>
    public RenderedText Render(Func<RenderContext, IEnumerable<KeyValuePair<string, Value>>> variables, TimeProvider clock)
    {
        var context = new RenderContext(_limits, clock);
        var globals = new Scope(null);
        Globals.Define(context, globals);
        foreach (var (name, value) in variables(context)) globals.Set(name, value);
        var output = new Output(context);
        new StatementRunner(context).Run(_body, new Scope(globals), output);
        var text = output.ToText();
        return new RenderedText(text.Value, text.Foreign);
    }
}
