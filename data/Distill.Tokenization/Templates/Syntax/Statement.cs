namespace Distill.Tokenization.Templates.Syntax;

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
