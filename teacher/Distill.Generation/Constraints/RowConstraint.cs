namespace Distill.Generation.Constraints;

/// <summary>
/// The constraint of one completion. Constraints may be an application's own, and what a schema demands may turn out to be impossible only
/// on the way: whatever one throws is the fault of its request, and ends no other.
/// </summary>
internal sealed class RowConstraint
{
    private readonly ITokenConstraintState state;

    /// <exception cref="ConstraintFault">The constraint failed, as in the methods.</exception>
    public RowConstraint(ITokenConstraint constraint, IReadOnlyList<int> prompt, IReadOnlyList<int> stopTokens)
    {
        try
        {
            state = constraint.Begin(prompt, stopTokens);
        }
        catch (Exception e) // whatever it is
        {
            throw new ConstraintFault(e);
        }
    }

    /// <inheritdoc cref="ITokenConstraintState.Allowed"/>
    public ReadOnlySpan<ulong> Allowed()
    {
        try
        {
            return state.Allowed;
        }
        catch (Exception e) // whatever it is
        {
            throw new ConstraintFault(e);
        }
    }

    /// <inheritdoc cref="ITokenConstraintState.Advance"/>
    public void Advance(int token)
    {
        try
        {
            state.Advance(token);
        }
        catch (Exception e) // whatever it is
        {
            throw new ConstraintFault(e);
        }
    }
}

/// <summary>A request's constraint failed, or allows nothing more; its message says why.</summary>
internal sealed class ConstraintFault(Exception cause)
    : InvalidOperationException($"The request's constraint cannot be kept: {cause.Message}", cause);
