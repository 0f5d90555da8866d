namespace Distill.Tokenization.Templates.Syntax;

/// <summary>What can be assigned to.</summary>
internal abstract record Target
{
    internal sealed record Variable(string Name) : Target;

    /// <summary><c>ns.member</c>, where <c>ns</c> must be a namespace.</summary>
    internal sealed record Member(string Namespace, string Name) : Target;

    internal sealed record Tuple(IReadOnlyList<Target> Items) : Target;
}
