using System.Collections.Frozen;
using Distill.Templates.Runtime;
using Distill.Templates.Syntax;
using Distill.Templates.Values;

namespace Distill.Templates.Library;

/// <summary>What <c>input is name(arguments)</c> asks.</summary>
internal delegate bool Test(RenderContext context, Value input, CallArguments arguments);

/// <summary>All tests by name.</summary>
internal static class TestLibrary
{
    private static readonly FrozenDictionary<string, Test> s_tests = new Dictionary<string, Test>
    {
        ["defined"] = Alone((c, v) => v is not Undefined),
        ["undefined"] = Alone((c, v) => v is Undefined),
        ["none"] = Alone((c, v) => v is None),
        ["boolean"] = Alone((c, v) => v is Values.Boolean),
        ["true"] = Alone((c, v) => v is Values.Boolean { Value: true }),
        ["false"] = Alone((c, v) => v is Values.Boolean { Value: false }),
        ["integer"] = Alone((c, v) => v is Integer),
        ["float"] = Alone((c, v) => v is Float),
        ["number"] = Alone((c, v) => Numbers.Is(v)),
        ["string"] = Alone((c, v) => v is Text),
        ["mapping"] = Alone((c, v) => v is Mapping),
        ["sequence"] = Alone((c, v) => v is Text or Mapping or Values.Range or Sequence { IsIndexable: true } or Undefined),
        ["iterable"] = Alone((c, v) => v is Text or Mapping or Values.Range or Sequence or Generator or Undefined),
        ["callable"] = Alone((c, v) => v is Function or Joiner or Loop or Undefined),
        ["escaped"] = Alone((c, v) => v is Text { IsMarkup: true }),
        ["upper"] = Alone((c, v) => TextQueries.IsCase(c.Printer.Print(v).Value, PythonCase.IsUpper)),
        ["lower"] = Alone((c, v) => TextQueries.IsCase(c.Printer.Print(v).Value, PythonCase.IsLower)),
        ["odd"] = Alone((c, v) => Remainder(c, v, new Integer(2)) is var rest && Numbers.Is(rest) && Numbers.Real(rest) == 1),
        ["even"] = Alone((c, v) => Remainder(c, v, new Integer(2)) is var rest && Numbers.Is(rest) && Numbers.Real(rest) == 0),
        ["divisibleby"] = (c, v, a) => Remainder(c, v, Only(a)) is var rest && Numbers.Is(rest) && Numbers.Real(rest) == 0,
        ["sameas"] = (c, v, a) => Same(v, Only(a)),
        ["in"] = (c, v, a) => Compared(c, ComparisonOperator.In, v, a),
        ["filter"] = Alone((c, v) => v is Text name && FilterLibrary.Has(name.Value)),
        ["test"] = Alone((c, v) => v is Text name && Has(name.Value)),
    }
    .Concat(Comparisons(ComparisonOperator.Equal, "==", "eq", "equalto"))
    .Concat(Comparisons(ComparisonOperator.NotEqual, "!=", "ne"))
    .Concat(Comparisons(ComparisonOperator.Greater, ">", "gt", "greaterthan"))
    .Concat(Comparisons(ComparisonOperator.GreaterOrEqual, ">=", "ge"))
    .Concat(Comparisons(ComparisonOperator.Less, "<", "lt", "lessthan"))
    .Concat(Comparisons(ComparisonOperator.LessOrEqual, "<=", "le"))
    .ToFrozenDictionary();

    /// <exception cref="TemplateException">There is no such test.</exception>
    public static Test Find(string name) =>
        s_tests.TryGetValue(name, out var test) ? test : throw TemplateException.Syntax($"no test named '{name}'");

    private static bool Has(string name) => s_tests.ContainsKey(name);

    /// <summary>A test that takes no arguments.</summary>
    private static Test Alone(Func<RenderContext, Value, bool> holds) => (context, value, arguments) =>
    {
        arguments.Bind("this test");
        return holds(context, value);
    };

    private static IEnumerable<KeyValuePair<string, Test>> Comparisons(ComparisonOperator sign, params string[] names) =>
        names.Select(name => KeyValuePair.Create<string, Test>(name, (c, v, a) => Compared(c, sign, v, a)));

    private static bool Compared(RenderContext context, ComparisonOperator sign, Value value, CallArguments arguments) =>
        new Arithmetic(context).Holds(sign, value, Only(arguments));

    private static Value Remainder(RenderContext context, Value value, Value by) =>
        new Arithmetic(context).Apply(BinaryOperator.Modulo, value, by);

    private static Value Only(CallArguments arguments) =>
        arguments.Bind("this test", "other")[0] ?? throw TemplateException.Type("this test needs something to compare with");

    /// <summary>Identity in Python; numbers and texts are compared by type and value, which is what it comes to for constants.</summary>
    private static bool Same(Value a, Value b) => ReferenceEquals(a, b) || (a.GetType() == b.GetType() && (a, b) switch
    {
        (Integer x, Integer y) => x.Value == y.Value,
        (Text x, Text y) => x.Value == y.Value,
        _ => false,
    });
}
