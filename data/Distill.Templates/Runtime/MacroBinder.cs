using Distill.Templates.Syntax;
using Distill.Templates.Values;

namespace Distill.Templates.Runtime;

/// <summary>Makes macros callable. A macro sees the variables of the place where it is defined, not of where it is called.</summary>
internal sealed class MacroBinder(RenderContext context, ExpressionEvaluator expressions, StatementRunner statements)
{
    public Function Bind(MacroDefinition macro, Scope scope) => new(macro.Name, arguments => Invoke(macro, arguments, scope))
    {
        Macro = new MacroSignature(macro.IsCallBody ? null : macro.Name, [.. macro.Parameters.Select(p => p.Name)],
            macro.TakesNamed, macro.TakesMore, macro.TakesCaller, macro.NamesCaller),
    };

    private Text Invoke(MacroDefinition macro, CallArguments arguments, Scope defined)
    {
        context.Budget.Enter();
        var scope = new Scope(defined);
        var named = new Dictionary<string, Value>();
        foreach (var (name, value) in arguments.Keyword)
            if (!named.TryAdd(name, value)) throw TemplateException.Type($"{macro.Name} got several values for '{name}'");
        SetParameters(macro, arguments, named, scope);
        SetExtras(macro, arguments, named, scope);
        var output = new Output(context);
        statements.Run(macro.Body, scope, output);
        context.Budget.Leave();
        return output.ToText();
    }

    private void SetParameters(MacroDefinition macro, CallArguments arguments, Dictionary<string, Value> named, Scope scope)
    {
        for (int i = 0; i < macro.Parameters.Count; i++)
        {
            var (name, otherwise) = macro.Parameters[i];
            // As in Jinja, a name that a positional argument has already filled is left over, not an error by itself.
            var value = i < arguments.Positional.Count ? arguments.Positional[i] : named.Remove(name, out var given) ? given : null;
            value ??= otherwise is null
                ? new Undefined($"parameter '{name}' was not provided; it")
                : expressions.Evaluate(otherwise, scope);
            scope.Set(name, value);
        }
    }

    private void SetExtras(MacroDefinition macro, CallArguments arguments, Dictionary<string, Value> named, Scope scope)
    {
        if (macro.TakesCaller && !macro.NamesCaller)
            scope.Set("caller", named.Remove("caller", out var caller) ? caller : new Undefined("no caller was defined; it"));
        if (macro.TakesNamed)
            scope.Set("kwargs", context.Mapping(named.Select(n => KeyValuePair.Create<Value, Value>(Text.Own(n.Key), n.Value))));
        else if (named.Count > 0) throw TemplateException.Type($"macro '{macro.Name}' takes no argument '{named.Keys.First()}'");
        if (macro.TakesMore) scope.Set("varargs", Sequence.Tuple(arguments.Positional.Skip(macro.Parameters.Count)));
        else if (arguments.Positional.Count > macro.Parameters.Count)
            throw TemplateException.Type($"macro '{macro.Name}' takes not more than {macro.Parameters.Count} arguments");
    }
}
