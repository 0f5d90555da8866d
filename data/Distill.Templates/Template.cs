using Distill.Templates.Library;
using Distill.Templates.Runtime;
using Distill.Templates.Syntax;
using Distill.Templates.Values;

namespace Distill.Templates;

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

/// <summary>What a template wrote.</summary>
/// <param name="Foreign">Stretches that came from messages: sorted, disjoint.</param>
internal sealed record RenderedText(string Value, IReadOnlyList<TextRange> Foreign);

/// <summary>UTF-16 units [Start, End) of a text.</summary>
internal readonly record struct TextRange(int Start, int End)
{
    /// <summary>What of the ranges lies within [start, end), counted from start.</summary>
    public static List<TextRange> Clip(IReadOnlyList<TextRange> ranges, int start, int end) => [.. ranges
        .Select(r => new TextRange(Math.Max(r.Start, start) - start, Math.Min(r.End, end) - start))
        .Where(r => r.Start < r.End)];

    /// <summary>The ranges and what lies between them, in order, over a text of this length.</summary>
    public static IEnumerable<(TextRange Range, bool Listed)> Both(IReadOnlyList<TextRange> ranges, int length)
    {
        int at = 0;
        foreach (var range in ranges)
        {
            if (range.Start > at) yield return (new TextRange(at, range.Start), false);
            yield return (range, true);
            at = range.End;
        }
        if (at < length) yield return (new TextRange(at, length), false);
    }
}

/// <summary>What one template may use up. The defaults are far above what published chat templates need.</summary>
internal sealed record TemplateLimits
{
    public static TemplateLimits Default { get; } = new();

    /// <summary>Characters of template text.</summary>
    public int Source { get; init; } = 4 << 20;

    /// <summary>Nested expressions or blocks in the template text.</summary>
    public int Nesting { get; init; } = 100;

    /// <summary>Longest chain of operators, filters or attributes.</summary>
    public int Chain { get; init; } = 400;

    /// <summary>Evaluated expressions, executed statements, iterations and compared values.</summary>
    public long Steps { get; init; } = 1_000_000;

    /// <summary>Characters and elements of everything that is built on the way, output included.</summary>
    public long Size { get; init; } = 64 << 20;

    /// <summary>Macros and recursive loops inside one another, and the depth of values that are printed or compared.</summary>
    public int Depth { get; init; } = 128;

    /// <summary>Longest sequence that <c>range</c> may give; Jinja's own sandbox has the same.</summary>
    public int Range { get; init; } = 100_000;

    /// <summary>A last resort: steps and size should end a template first.</summary>
    public TimeSpan Time { get; init; } = TimeSpan.FromSeconds(10);
}
