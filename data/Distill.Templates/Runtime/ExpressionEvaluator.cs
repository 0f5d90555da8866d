using Distill.Templates.Library;
using Distill.Templates.Syntax;
using Distill.Templates.Values;

namespace Distill.Templates.Runtime;

/// <summary>Computes expressions.</summary>
internal sealed class ExpressionEvaluator(RenderContext context)
{
    private readonly Arithmetic _arithmetic = new(context);
    private readonly Subscripts _subscripts = new(context);

    public Value Evaluate(Expression expression, Scope scope)
    {
        context.Budget.Step();
        return expression switch
        {
            Expression.Constant constant => constant.Value,
            Expression.Name name => scope.Get(name.Identifier),
            Expression.Attribute attribute => _subscripts.Attribute(Evaluate(attribute.Of, scope), attribute.Member),
            Expression.Item item => _subscripts.Item(Evaluate(item.Of, scope), Evaluate(item.Index, scope)),
            Expression.Slice slice =>
                _subscripts.Slice(Evaluate(slice.Of, scope), Optional(slice.Start, scope), Optional(slice.Stop, scope),
                    Optional(slice.Step, scope)),
            Expression.Call call => EvaluateCall(call, scope, caller: null),
            Expression.Filter filter =>
                Filter(filter, filter.Input is { } input
                    ? Evaluate(input, scope)
                    : throw TemplateException.Syntax("a filter has no input"), scope),
            Expression.Test test =>
                Values.Boolean.Of(TestLibrary.Find(test.TestName)(context, Evaluate(test.Input, scope), Bind(test.Arguments, scope))),
            Expression.Sign sign => Arithmetic.Sign(Evaluate(sign.Operand, scope), sign.IsMinus),
            Expression.Binary binary => _arithmetic.Apply(binary.Operator, Evaluate(binary.Left, scope), Evaluate(binary.Right, scope)),
            Expression.Concatenation join => context.Concat([.. join.Parts.Select(p => Plain(context.Printer.Print(Evaluate(p, scope))))]),
            Expression.Comparison comparison => Compare(comparison, scope),
            _ => Logic(expression, scope),
        };
    }

    /// <param name="caller">Handed on as the argument <c>caller</c>, for <c>call</c> blocks.</param>
    public Value EvaluateCall(Expression.Call call, Scope scope, Function? caller)
    {
        var target = Evaluate(call.Of, scope);
        var arguments = Bind(call.Arguments, scope);
        if (caller is not null)
            arguments = arguments with { Keyword = [.. arguments.Keyword, KeyValuePair.Create<string, Value>("caller", caller)] };
        return target switch
        {
            Function function => function.Invoke(arguments),
            Joiner joiner => joiner.Invoke(arguments),
            Loop { Recurse: { } recurse } =>
                recurse(arguments.Bind("loop", "items")[0] ?? throw TemplateException.Type("loop() needs what to walk over")),
            Undefined undefined => throw undefined.Failure(),
            _ => throw TemplateException.Type($"'{target.TypeName}' object is not callable"),
        };
    }

    /// <summary>A chain of filters that begins without an input, applied to a block's text.</summary>
    public Value EvaluateFilters(Expression chain, Text input, Scope scope) => chain switch
    {
        Expression.Filter { Input: null } first => Filter(first, input, scope),
        Expression.Filter filter => Filter(filter, EvaluateFilters(filter.Input, input, scope), scope),
        _ => throw TemplateException.Syntax("only filters may stand here"),
    };

    private Value Filter(Expression.Filter filter, Value input, Scope scope) =>
        FilterLibrary.Find(filter.FilterName)(context, input, Bind(filter.Arguments, scope));

    private Value Logic(Expression expression, Scope scope) => expression switch
    {
        Expression.Negation not => Values.Boolean.Of(!Evaluate(not.Operand, scope).IsTrue),
        Expression.Logical logical =>
            Evaluate(logical.Left, scope) is var left && left.IsTrue == logical.IsAnd ? Evaluate(logical.Right, scope) : left,
        Expression.Conditional choice => Evaluate(choice.Condition, scope).IsTrue
            ? Evaluate(choice.Then, scope)
            : choice.Otherwise is null ? new Undefined("a conditional without 'else'") : Evaluate(choice.Otherwise, scope),
        Expression.List list => Items(list, scope),
        Expression.Dictionary dictionary =>
            context.Mapping([.. dictionary.Entries.Select(e => KeyValuePair.Create(Evaluate(e.Key, scope), Evaluate(e.Value, scope)))]),
        _ => throw new InvalidOperationException($"no rule for {expression.GetType().Name}"),
    };

    private Sequence Items(Expression.List list, Scope scope)
    {
        context.Budget.Charge(list.Items.Count);
        return new Sequence(list.Kind, [.. list.Items.Select(item => Evaluate(item, scope))]);
    }

    private Values.Boolean Compare(Expression.Comparison comparison, Scope scope)
    {
        var left = Evaluate(comparison.First, scope);
        foreach (var (sign, operand) in comparison.Rest)
        {
            var right = Evaluate(operand, scope);
            if (!_arithmetic.Holds(sign, left, right)) return Values.Boolean.False;
            left = right;
        }
        return Values.Boolean.True;
    }

    private CallArguments Bind(Arguments arguments, Scope scope)
    {
        if (arguments == Arguments.None) return CallArguments.None;
        var positional = arguments.Positional.Select(a => Evaluate(a, scope)).ToList();
        if (arguments.Spread is { } spread) positional.AddRange(context.ToList(Evaluate(spread, scope)));
        var named = arguments.Named.Select(a => KeyValuePair.Create(a.Name, Evaluate(a.Value, scope))).ToList();
        if (arguments.SpreadNamed is { } spreadNamed) named.AddRange(Named(Evaluate(spreadNamed, scope)));
        return new CallArguments(positional, named);
    }

    private static IEnumerable<KeyValuePair<string, Value>> Named(Value value) => value is Mapping mapping
        ? mapping.Entries.Select(e => e.Key is Text name
            ? KeyValuePair.Create(name.Value, e.Value)
            : throw TemplateException.Type("names of arguments must be texts"))
        : throw TemplateException.Type($"'**' needs a dictionary, not '{value.TypeName}'");

    private Value? Optional(Expression? expression, Scope scope) => expression is null ? null : Evaluate(expression, scope);

    private static Text Plain(Text text) =>
        text.IsMarkup ? throw TemplateException.Unsupported("escaped text cannot be joined with other text") : text;
}
