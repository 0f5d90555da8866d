namespace Distill.Templates.Syntax;

/// <summary>A part of a template's body.</summary>
internal abstract record Statement
{
    internal sealed record Data(string Text) : Statement;

    internal sealed record Output(Expression Value) : Statement;

    /// <param name="Otherwise">Empty where there is no <c>else</c>.</param>
    internal sealed record If(IReadOnlyList<(Expression Condition, IReadOnlyList<Statement> Body)> Branches,
        IReadOnlyList<Statement> Otherwise) : Statement;

    internal sealed record For(Target Target, Expression Items, Expression? Condition, IReadOnlyList<Statement> Body,
        IReadOnlyList<Statement> Otherwise, bool IsRecursive) : Statement;

    internal sealed record Break : Statement;

    internal sealed record Continue : Statement;

    internal sealed record Set(Target Target, Expression Value) : Statement;

    /// <param name="Filter">A chain of filters without an input, or null.</param>
    internal sealed record SetBlock(Target Target, Expression? Filter, IReadOnlyList<Statement> Body) : Statement;

    internal sealed record FilterBlock(Expression Filter, IReadOnlyList<Statement> Body) : Statement;

    internal sealed record Macro(MacroDefinition Definition) : Statement;

    internal sealed record CallBlock(Expression.Call Call, MacroDefinition Caller) : Statement;

    internal sealed record With(IReadOnlyList<(Target Target, Expression Value)> Assignments, IReadOnlyList<Statement> Body) : Statement;
}

/// <summary>What can be assigned to.</summary>
internal abstract record Target
{
    internal sealed record Variable(string Name) : Target;

    /// <summary><c>ns.member</c>, where <c>ns</c> must be a namespace.</summary>
    internal sealed record Member(string Namespace, string Name) : Target;

    internal sealed record Tuple(IReadOnlyList<Target> Items) : Target;
}

/// <summary>A macro, or the body of a <c>call</c> block.</summary>
/// <param name="Parameters">Names, with the value for those that have one.</param>
/// <param name="TakesMore">The body uses <c>varargs</c>.</param>
/// <param name="TakesNamed">The body uses <c>kwargs</c>.</param>
/// <param name="TakesCaller">The body uses <c>caller</c>.</param>
/// <param name="IsCallBody">It has no name of its own: <paramref name="Name"/> is <c>caller</c>.</param>
internal sealed record MacroDefinition(
    string Name,
    IReadOnlyList<(string Name, Expression? Default)> Parameters,
    IReadOnlyList<Statement> Body,
    bool TakesMore,
    bool TakesNamed,
    bool TakesCaller,
    bool IsCallBody)
{
    /// <summary><c>caller</c> is one of the parameters.</summary>
    public bool NamesCaller => Parameters.Any(p => p.Name == "caller");
}
