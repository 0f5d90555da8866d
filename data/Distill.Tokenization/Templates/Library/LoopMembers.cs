using Distill.Tokenization.Templates.Runtime;
using Distill.Tokenization.Templates.Values;

namespace Distill.Tokenization.Templates.Library;

/// <summary>Members of <c>loop</c>.</summary>
internal static class LoopMembers
{
    public static Value? Find(RenderContext context, Loop loop, string name) => name switch
    {
        "index" => new Integer(loop.Index + 1),
        "index0" => new Integer(loop.Index),
        "revindex" => new Integer(loop.Count - loop.Index),
        "revindex0" => new Integer(loop.Count - loop.Index - 1),
        "first" => Values.Boolean.Of(loop.Index == 0),
        "last" => Values.Boolean.Of(loop.Index == loop.Count - 1),
        "length" => new Integer(loop.Count),
        "depth" => new Integer(loop.Depth),
        "depth0" => new Integer(loop.Depth - 1),
        "previtem" => loop.ItemAt(loop.Index - 1),
        "nextitem" => loop.ItemAt(loop.Index + 1),
        "cycle" => new Function(name, arguments => Cycle(loop, arguments.OnlyPositional(name))),
        "changed" => new Function(name, arguments => Values.Boolean.Of(loop.Changed(arguments.OnlyPositional(name), context.Comparison))),
        _ => null,
    };

    private static Value Cycle(Loop loop, IReadOnlyList<Value> values) =>
        values.Count == 0 ? throw TemplateException.Type("no items for cycling given") : values[loop.Index % values.Count];
}
