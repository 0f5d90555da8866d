namespace Distill.Tokenization.Templates.Syntax;

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
