namespace Distill.Tokenization.Templates.Syntax;

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
