namespace Distill.Templates.Syntax;

/// <summary>Reads <c>{% … %}</c> and what belongs to it.</summary>
internal sealed class BlockParser(TemplateParser template)
{
    private static readonly string[] s_refused = ["include", "import", "from", "extends", "autoescape", "trans", "debug", "do"];
    private readonly MacroParser _macros = new(template);

    public Statement Read(TokenReader tokens)
    {
        string tag = tokens.ExpectName();
        return tag switch
        {
            "if" => If(tokens),
            "for" => For(tokens),
            "set" => Set(tokens),
            "macro" => _macros.Macro(tokens),
            "call" => _macros.CallBlock(tokens),
            "filter" => FilterBlock(tokens),
            "with" => With(tokens),
            "block" => NamedBlock(tokens),
            "generation" => Generation(tokens),
            "break" or "continue" => Jump(tag, tokens),
            _ => throw (s_refused.Contains(tag)
                ? TemplateException.Unsupported($"'{tag}' is not supported in chat templates")
                : TemplateException.Syntax($"unknown tag '{tag}'")),
        };
    }

    private Statement.If If(TokenReader tokens)
    {
        var branches = new List<(Expression, IReadOnlyList<Statement>)>();
        while (true)
        {
            var condition = Expressions(tokens).Tuple(withConditional: false);
            tokens.ExpectEnd();
            var (body, end) = template.Body("elif", "else", "endif");
            branches.Add((condition, body));
            string tag = end!.Take().Text;
            if (tag == "elif")
            {
                tokens = end;
                continue;
            }
            end.ExpectEnd();
            return new Statement.If(branches, tag == "else" ? template.BodyUntil("endif") : []);
        }
    }

    private Statement.For For(TokenReader tokens)
    {
        var target = TargetParser.Read(tokens, template.State, allowMember: false, stop: "in");
        tokens.Expect("in");
        var items = Expressions(tokens).Tuple(withConditional: false, stop: "recursive");
        var condition = tokens.Skip("if") ? Expressions(tokens).One() : null;
        bool recursive = tokens.Skip("recursive");
        tokens.ExpectEnd();
        template.State.Loops++;
        var (body, end) = template.Body("else", "endfor");
        template.State.Loops--;
        string tag = end!.Take().Text;
        end.ExpectEnd();
        return new Statement.For(target, items, condition, body, tag == "else" ? template.BodyUntil("endfor") : [], recursive);
    }

    private Statement Set(TokenReader tokens)
    {
        var target = TargetParser.Read(tokens, template.State, allowMember: true, stop: null);
        if (tokens.Skip("="))
        {
            var value = Expressions(tokens).Tuple();
            tokens.ExpectEnd();
            return new Statement.Set(target, value);
        }
        var filter = tokens.Skip("|") ? Expressions(tokens).FilterChain() : null;
        tokens.ExpectEnd();
        return new Statement.SetBlock(target, filter, template.BodyUntil("endset"));
    }

    private Statement.FilterBlock FilterBlock(TokenReader tokens)
    {
        var filter = Expressions(tokens).FilterChain();
        tokens.ExpectEnd();
        return new Statement.FilterBlock(filter, template.BodyUntil("endfilter"));
    }

    private Statement.With With(TokenReader tokens)
    {
        var assignments = new List<(Target, Expression)>();
        while (tokens.Current.Kind != TokenKind.End)
        {
            if (assignments.Count > 0) tokens.Expect(",");
            var target = new Target.Variable(TargetParser.Name(tokens));
            tokens.Expect("=");
            assignments.Add((target, Expressions(tokens).One()));
        }
        return new Statement.With(assignments, template.BodyUntil("endwith"));
    }

    /// <summary>A named block has nobody to override it here: it is its content.</summary>
    private Statement.With NamedBlock(TokenReader tokens)
    {
        string name = tokens.ExpectName();
        tokens.ExpectEnd();
        var (body, end) = template.Body("endblock");
        end!.Take();
        if (end.Current.Kind == TokenKind.Name) end.Expect(name);
        end.ExpectEnd();
        return new Statement.With([], body);
    }

    /// <summary>What the assistant has said; the mark itself prints nothing.</summary>
    private Statement.With Generation(TokenReader tokens)
    {
        tokens.ExpectEnd();
        return new Statement.With([], template.BodyUntil("endgeneration"));
    }

    private Statement Jump(string tag, TokenReader tokens)
    {
        tokens.ExpectEnd();
        if (template.State.Loops == 0) throw TemplateException.Syntax($"'{tag}' stands outside a loop");
        return tag == "break" ? new Statement.Break() : new Statement.Continue();
    }

    private ExpressionParser Expressions(TokenReader tokens) => new(tokens, template.State);
}

/// <summary>Reads <c>macro</c> and <c>call</c>.</summary>
internal sealed class MacroParser(TemplateParser template)
{
    public Statement.Macro Macro(TokenReader tokens)
    {
        string name = TargetParser.Name(tokens);
        var parameters = Parameters(tokens);
        tokens.ExpectEnd();
        return new Statement.Macro(Definition(name, parameters, "endmacro", isCallBody: false));
    }

    /// <summary><c>{% call(a) m() %}body{% endcall %}</c>: the body is a macro that <c>m</c> knows as <c>caller</c>.</summary>
    public Statement.CallBlock CallBlock(TokenReader tokens)
    {
        var parameters = tokens.Current.IsOperator("(") ? Parameters(tokens) : [];
        var call = new ExpressionParser(tokens, template.State).One() as Expression.Call
            ?? throw TemplateException.Syntax("'call' must be followed by a call");
        tokens.ExpectEnd();
        return new Statement.CallBlock(call, Definition("caller", parameters, "endcall", isCallBody: true));
    }

    private List<(string Name, Expression? Default)> Parameters(TokenReader tokens)
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

    private MacroDefinition Definition(string name, List<(string Name, Expression? Default)> parameters, string end, bool isCallBody)
    {
        // The body's names are collected apart; a macro inside counts as part of it, and a jump cannot leave it.
        var (outerNames, outerLoops) = (template.State.NamesRead, template.State.Loops);
        (template.State.NamesRead, template.State.Loops) = ([], 0);
        var body = template.BodyUntil(end);
        var names = template.State.NamesRead;
        outerNames.UnionWith(names);
        (template.State.NamesRead, template.State.Loops) = (outerNames, outerLoops);
        return new MacroDefinition(name, parameters, body, Takes("varargs"), Takes("kwargs"), TakesCaller(), isCallBody);

        // A parameter of that name is only a parameter.
        bool Takes(string special) => names.Contains(special) && parameters.All(p => p.Name != special);

        bool TakesCaller() => names.Contains("caller") && parameters.Any(p => p is { Name: "caller", Default: null })
            ? throw TemplateException.Syntax("a parameter 'caller' must have a default where the body uses it")
            : names.Contains("caller");
    }
}

/// <summary>Reads what is assigned to.</summary>
internal static class TargetParser
{
    private static readonly string[] s_reserved = ["true", "True", "false", "False", "none", "None", "and", "or", "not", "in", "is", "if",
        "else"];

    /// <param name="stop">A word that may follow a trailing comma.</param>
    public static Target Read(TokenReader tokens, ParseState state, bool allowMember, string? stop)
    {
        var first = Part(tokens, state, allowMember, stop);
        if (!tokens.Current.IsOperator(",")) return first;
        var items = new List<Target> { first };
        while (tokens.Skip(",") && !Ends(tokens.Current, stop)) items.Add(Part(tokens, state, allowMember: false, stop));
        return new Target.Tuple(items);
    }

    public static string Name(TokenReader tokens)
    {
        string name = tokens.ExpectName();
        return s_reserved.Contains(name) || char.IsDigit(name[0])
            ? throw TemplateException.Syntax($"'{name}' cannot be assigned to")
            : name;
    }

    private static bool Ends(Token token, string? stop) =>
        token.Kind == TokenKind.End || token.IsOperator("=") || token.IsOperator(")") || (stop is not null && token.IsName(stop));

    private static Target Part(TokenReader tokens, ParseState state, bool allowMember, string? stop)
    {
        if (!tokens.Skip("(")) return One(tokens, state, allowMember);
        state.Enter();
        var inside = Read(tokens, state, allowMember: false, stop);
        tokens.Expect(")");
        state.Leave();
        return inside;
    }

    private static Target One(TokenReader tokens, ParseState state, bool allowMember)
    {
        string name = Name(tokens);
        if (!allowMember || !tokens.Skip(".")) return new Target.Variable(name);
        state.NamesRead.Add(name);
        return new Target.Member(name, tokens.ExpectName());
    }
}
