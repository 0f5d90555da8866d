namespace Distill.Generation.Constraints;

/// <summary>
/// What a completion must be. Logits of tokens that would break it are removed before a token is chosen, so a completion that ends by a
/// stop token obeys; one that the length limit ends is cut where it was. Immutable and thread-safe: one serves any number of requests.
/// </summary>
public interface ITokenConstraint
{
    /// <summary>Begins a completion.</summary>
    /// <param name="prompt">What the completion follows.</param>
    /// <param name="stopTokens">Allowed where the completion may end, and nowhere else.</param>
    ITokenConstraintState Begin(IReadOnlyList<int> prompt, IReadOnlyList<int> stopTokens);
}

/// <summary>How far one completion has come. One thread at a time.</summary>
public interface ITokenConstraintState
{
    /// <summary>
    /// Which tokens may come next: bit id % 64 of word id / 64. Ids past the last word may not; where there is no word, all may. Valid
    /// until
    /// <see cref="Advance"/>.
    /// </summary>
    ReadOnlySpan<ulong> Allowed { get; }

    /// <param name="token">The next token of the completion, not a stop token.</param>
    /// <exception cref="InvalidOperationException">It was not allowed.</exception>
    void Advance(int token);
}
