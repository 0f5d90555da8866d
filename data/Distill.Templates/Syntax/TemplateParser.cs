using System.Runtime.CompilerServices;

namespace Distill.Templates.Syntax;

/// <summary>Template text to statements. Every failure is a <see cref="TemplateException"/>; depth and length are bounded.</summary>
internal sealed class TemplateParser
{
    private readonly IReadOnlyList<Segment> _segments;
    private readonly BlockParser _blocks;
    private int _at;

    private TemplateParser(IReadOnlyList<Segment> segments, TemplateLimits limits)
    {
        _segments = segments;
        State = new ParseState(limits);
        _blocks = new BlockParser(this);
    }

    public ParseState State { get; }

    public static IReadOnlyList<Statement> Parse(string source, TemplateLimits limits)
    {
        if (source.Length > limits.Source)
            throw TemplateException.Limit($"the template has {source.Length} characters; at most {limits.Source} are read");
        var parser = new TemplateParser(TemplateLexer.Read(source), limits);
        var (body, end) = parser.Body();
        return end is null ? body : throw TemplateException.Syntax($"unexpected '{end.Current.Text}'; nothing is open");
    }

    /// <summary>
    /// Statements up to one of the given tags, whose tokens are given back with its name still to be read; without any, up to the end.
    /// </summary>
    public (IReadOnlyList<Statement> Body, TokenReader? End) Body(params string[] ends)
    {
        var body = new List<Statement>();
        State.Enter();
        while (_at < _segments.Count)
        {
            var segment = _segments[_at++];
            if (segment.Kind == SegmentKind.Data)
            {
                body.Add(new Statement.Data(segment.Text));
                continue;
            }
            var tokens = new TokenReader(segment.Tokens);
            if (segment.Kind == SegmentKind.Output) body.Add(Output(tokens));
            else if (tokens.Current.Kind == TokenKind.Name && ends.Contains(tokens.Current.Text))
            {
                State.Leave();
                return (body, tokens);
            }
            else body.Add(_blocks.Read(tokens));
        }
        if (ends.Length > 0) throw TemplateException.Syntax($"the template ends before '{ends[^1]}'");
        State.Leave();
        return (body, null);
    }

    /// <summary>Statements up to one closing tag with nothing behind its name.</summary>
    public IReadOnlyList<Statement> BodyUntil(string end)
    {
        var (body, tokens) = Body(end);
        tokens!.Take();
        tokens.ExpectEnd();
        return body;
    }

    private Statement.Output Output(TokenReader tokens)
    {
        var value = new ExpressionParser(tokens, State).Tuple();
        tokens.ExpectEnd();
        return new Statement.Output(value);
    }
}

/// <summary>What the parts of the parser share: nesting, and which names have been used.</summary>
internal sealed class ParseState(TemplateLimits limits)
{
    private int _nesting;

    /// <summary>Every variable read so far; macros look whether they use <c>varargs</c>, <c>kwargs</c>, <c>caller</c>.</summary>
    public HashSet<string> NamesRead { get; set; } = [];

    public int Loops { get; set; }

    public void Enter()
    {
        if (++_nesting > limits.Nesting || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw TemplateException.Limit($"the template nests expressions or blocks deeper than {limits.Nesting}");
    }

    public void Leave() => _nesting--;

    public T Checked<T>(T expression)
        where T : Expression =>
        expression.Depth <= limits.Chain
            ? expression
            : throw TemplateException.Limit($"an expression of the template chains more than {limits.Chain} operations");
}
