using System.Collections.Frozen;
using Distill.Templates.Runtime;
using Distill.Templates.Values;

namespace Distill.Templates.Library;

/// <summary>What <c>input | name(arguments)</c> computes.</summary>
internal delegate Value Filter(RenderContext context, Value input, CallArguments arguments);

/// <summary>All filters by name.</summary>
internal static class FilterLibrary
{
    private static readonly FrozenSet<string> s_unsupported =
        FrozenSet.ToFrozenSet(["filesizeformat", "forceescape", "pprint", "random", "striptags", "urlencode", "urlize", "wordwrap",
            "xmlattr"]);

    private static readonly FrozenDictionary<string, Filter> s_filters =
        TextFilters.All.Concat(ConversionFilters.All).Concat(SequenceFilters.All).Concat(SelectionFilters.All).ToFrozenDictionary();

    public static bool Has(string name) => s_filters.ContainsKey(name) || s_unsupported.Contains(name);

    /// <exception cref="TemplateException">There is no such filter, or it is left out here.</exception>
    public static Filter Find(string name)
    {
        if (s_filters.TryGetValue(name, out var filter)) return filter;
        throw s_unsupported.Contains(name)
            ? TemplateException.Unsupported($"filter '{name}' is not supported in chat templates")
            : TemplateException.Syntax($"no filter named '{name}'");
    }
}
