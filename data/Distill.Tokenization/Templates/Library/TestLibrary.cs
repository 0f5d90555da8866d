using System.Collections.Frozen;
using Distill.Tokenization.Templates.Runtime;
using Distill.Tokenization.Templates.Syntax;
using Distill.Tokenization.Templates.Values;

namespace Distill.Tokenization.Templates.Library;

/// <summary>All tests by name.</summary>
internal static class TestLibrary
{
    private static readonly FrozenDictionary<string, Test> s_tests = new Dictionary<string, Test>
    {
        ["defined"] = (c, v, a) => v is not Undefined,
        ["undefined"] = (c, v, a) => v is Undefined,
        ["none"] = (c, v, a) => v is None,
        ["boolean"] = (c, v, a) => v is Values.Boolean,
        ["true"] = (c, v, a) => v is Values.Boolean { Value: true },
        ["false"] = (c, v, a) => v is Values.Boolean { Value: false },
        ["integer"] = (c, v, a) => v is Integer,
        ["float"] = (c, v, a) => v is Float,
        ["number"] = (c, v, a) => Numbers.Is(v),
        ["string"] = (c, v, a) => v is Text,
        ["mapping"] = (c, v, a) => v is Mapping,
        ["sequence"] = (c, v, a) => v is Text or Mapping or Values.Range or Sequence { IsIndexable: true } or Undefined,
        ["iterable"] = (c, v, a) => v is Text or Mapping or Values.Range or Sequence or Generator or Undefined,
        ["callable"] = (c, v, a) => v is Function or Loop or Undefined,
        ["escaped"] = (c, v, a) => v is Text { IsMarkup: true },
        ["upper"] = (c, v, a) => TextQueries.IsCase(c.Printer.Print(v).Value, System.Text.Rune.IsUpper),
        ["lower"] = (c, v, a) => TextQueries.IsCase(c.Printer.Print(v).Value, System.Text.Rune.IsLower),
        ["odd"] = (c, v, a) => Remainder(c, v, new Integer(2)) is var rest && Numbers.Is(rest) && Numbers.Real(rest) == 1,
        ["even"] = (c, v, a) => Remainder(c, v, new Integer(2)) is var rest && Numbers.Is(rest) && Numbers.Real(rest) == 0,
        ["divisibleby"] = (c, v, a) => Remainder(c, v, Only(a)) is var rest && Numbers.Is(rest) && Numbers.Real(rest) == 0,
        ["sameas"] = (c, v, a) => Same(v, Only(a)),
        ["in"] = (c, v, a) => Compared(c, ComparisonOperator.In, v, a),
        ["filter"] = (c, v, a) => v is Text name && FilterLibrary.Has(name.Value),
        ["test"] = (c, v, a) => v is Text name && Has(name.Value),
    }
    .Concat(Comparisons(ComparisonOperator.Equal, "==", "eq", "equalto"))
    .Concat(Comparisons(ComparisonOperator.NotEqual, "!=", "ne"))
    .Concat(Comparisons(ComparisonOperator.Greater, ">", "gt", "greaterthan"))
    .Concat(Comparisons(ComparisonOperator.GreaterOrEqual, ">=", "ge"))
    .Concat(Comparisons(ComparisonOperator.Less, "<", "lt", "lessthan"))
    .Concat(Comparisons(ComparisonOperator.LessOrEqual, "<=", "le"))
    .ToFrozenDictionary();

    /// <exception cref="TemplateException">There is no such test.</exception>
    public static Test Find(string name) => s_tests.TryGetValue(name, out var test) ? test : throw TemplateException.Syntax($"no test named '{name}'");

    private static bool Has(string name) => s_tests.ContainsKey(name);

    private static IEnumerable<KeyValuePair<string, Test>> Comparisons(ComparisonOperator sign, params string[] names) =>
        names.Select(name => KeyValuePair.Create<string, Test>(name, (c, v, a) => Compared(c, sign, v, a)));

    private static bool Compared(RenderContext context, ComparisonOperator sign, Value value, CallArguments arguments) =>
        new Arithmetic(context).Holds(sign, value, Only(arguments));

    private static Value Remainder(RenderContext context, Value value, Value by) => new Arithmetic(context).Apply(BinaryOperator.Modulo, value, by);

    private static Value Only(CallArguments arguments) => arguments.Bind("this test", "other")[0] ?? throw TemplateException.Type("this test needs something to compare with");

    /// <summary>Identity in Python; numbers and texts are compared by type and value, which is what it comes to for constants.</summary>
    private static bool Same(Value a, Value b) => ReferenceEquals(a, b) || (a.GetType() == b.GetType() && (a, b) switch
    {
        (Integer x, Integer y) => x.Value == y.Value,
        (Text x, Text y) => x.Value == y.Value,
        _ => false,
    });
}
