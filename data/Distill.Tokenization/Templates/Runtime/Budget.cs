using System.Runtime.CompilerServices;

namespace Distill.Tokenization.Templates.Runtime;

/// <summary>Counts what a rendering uses and ends it when the limits are reached.</summary>
internal sealed class Budget(TemplateLimits limits, TimeProvider clock)
{
    private const int StepsBetweenClockReads = 4096;

    private readonly long _start = clock.GetTimestamp();
    private long _steps;
    private long _size;
    private int _depth;

    public TemplateLimits Limits => limits;

    public void Step()
    {
        if (++_steps > limits.Steps) throw TemplateException.Limit($"the template takes more than {limits.Steps} steps");
        if (_steps % StepsBetweenClockReads == 0 && clock.GetElapsedTime(_start) > limits.Time)
            throw TemplateException.Limit($"the template takes longer than {limits.Time.TotalSeconds} s");
    }

    /// <summary>Call before building something of this many characters or elements.</summary>
    public void Charge(long size)
    {
        if (size > limits.Size - _size)
            throw TemplateException.Limit($"the template builds more than {limits.Size} characters and elements");
        _size += size;
    }

    public void Enter()
    {
        if (++_depth > limits.Depth || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw TemplateException.Limit($"the template nests deeper than {limits.Depth}");
    }

    public void Leave() => _depth--;
}
