namespace Distill.Templates;

/// <summary>What one template may use up. The defaults are far above what published chat templates need.</summary>
internal sealed record TemplateLimits
{
    public static TemplateLimits Default { get; } = new();

    /// <summary>Characters of template text.</summary>
    public int Source { get; init; } = 4 << 20;

    /// <summary>Nested expressions or blocks in the template text.</summary>
    public int Nesting { get; init; } = 100;

    /// <summary>Longest chain of operators, filters or attributes.</summary>
    public int Chain { get; init; } = 400;

    /// <summary>Evaluated expressions, executed statements, iterations and compared values.</summary>
    public long Steps { get; init; } = 1_000_000;

    /// <summary>Characters and elements of everything that is built on the way, output included.</summary>
    public long Size { get; init; } = 64 << 20;

    /// <summary>Macros and recursive loops inside one another, and the depth of values that are printed or compared.</summary>
    public int Depth { get; init; } = 128;

    /// <summary>Longest sequence that <c>range</c> may give; Jinja's own sandbox has the same.</summary>
    public int Range { get; init; } = 100_000;

    /// <summary>A last resort: steps and size should end a template first.</summary>
    public TimeSpan Time { get; init; } = TimeSpan.FromSeconds(10);
}
