namespace Distill.Tokenization.Templates.Syntax;

/// <summary>Reads <c>macro</c> and <c>call</c>.</summary>
internal sealed class MacroParser(TemplateParser template)
{
    public Statement.Macro Macro(TokenReader tokens)
    {
        string name = TargetParser.Name(tokens);
        var parameters = Parameters(tokens);
        tokens.ExpectEnd();
        return new Statement.Macro(Definition(name, parameters, "endmacro"));
    }

    /// <summary><c>{% call(a) m() %}body{% endcall %}</c>: the body is a macro that <c>m</c> knows as <c>caller</c>.</summary>
    public Statement.CallBlock CallBlock(TokenReader tokens)
    {
        var parameters = tokens.Current.IsOperator("(") ? Parameters(tokens) : [];
        var call = new ExpressionParser(tokens, template.State).One() as Expression.Call
            ?? throw TemplateException.Syntax("'call' must be followed by a call");
        tokens.ExpectEnd();
        return new Statement.CallBlock(call, Definition("caller", parameters, "endcall"));
    }

    private List<(string, Expression?)> Parameters(TokenReader tokens)
    {
        var parameters = new List<(string Name, Expression? Default)>();
        tokens.Expect("(");
        while (!tokens.Skip(")"))
        {
            string name = TargetParser.Name(tokens);
            var value = tokens.Skip("=") ? new ExpressionParser(tokens, template.State).One() : null;
            if (value is null && parameters.Count > 0 && parameters[^1].Default is not null)
                throw TemplateException.Syntax($"'{name}' follows a parameter with a default and has none");
            parameters.Add((name, value));
            if (!tokens.Current.IsOperator(")")) tokens.Expect(",");
        }
        return parameters;
    }

    private MacroDefinition Definition(string name, List<(string, Expression?)> parameters, string end)
    {
        // The body's names are collected apart; a macro inside counts as part of it, and a jump cannot leave it.
        var (outerNames, outerLoops) = (template.State.NamesRead, template.State.Loops);
        (template.State.NamesRead, template.State.Loops) = ([], 0);
        var body = template.BodyUntil(end);
        var names = template.State.NamesRead;
        outerNames.UnionWith(names);
        (template.State.NamesRead, template.State.Loops) = (outerNames, outerLoops);
        return new MacroDefinition(name, parameters, body, names.Contains("varargs"), names.Contains("kwargs"), names.Contains("caller"));
    }
}
