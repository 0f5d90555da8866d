namespace Distill.Tokenization.Templates.Syntax;

/// <summary>A macro, or the body of a <c>call</c> block.</summary>
/// <param name="Parameters">Names, with the value for those that have one.</param>
/// <param name="TakesMore">The body uses <c>varargs</c>.</param>
/// <param name="TakesNamed">The body uses <c>kwargs</c>.</param>
/// <param name="TakesCaller">The body uses <c>caller</c>.</param>
internal sealed record MacroDefinition(
    string Name,
    IReadOnlyList<(string Name, Expression? Default)> Parameters,
    IReadOnlyList<Statement> Body,
    bool TakesMore,
    bool TakesNamed,
    bool TakesCaller);
