using System.Runtime.CompilerServices;

namespace Distill.Tokenization.Templates.Syntax;

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
