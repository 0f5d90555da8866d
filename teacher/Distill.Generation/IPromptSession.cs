namespace Distill.Generation;

/// <summary>
/// What a backend may offer beyond <see cref="IDecodeSession"/> so that prompts are read faster. None of it changes a bit of what is
/// computed of a prompt.
/// </summary>
internal interface IPromptSession : IDecodeSession
{
    /// <summary>Most tokens whose logits can be read where they are; 0 when none can.</summary>
    int MostPositions { get; }

    /// <summary>Most places of one joint run, prompts × the longest of them; 0 when every prompt needs a run of its own.</summary>
    int MostJointPlaces { get; }

    /// <summary>Whether a prompt of so many tokens gives the same bits in a joint run, padded or not, as in a run of its own.</summary>
    bool CanJoin(int length);

    /// <summary>Appends at most <see cref="MostPositions"/> tokens to a slot.</summary>
    /// <returns>Logits of every position, [tokens, vocab]; valid until the session's next run.</returns>
    ReadOnlySpan<float> Prefill(int slot, ReadOnlySpan<int> tokens);

    /// <summary>Starts empty slots, one after another from <paramref name="first"/> on, with a prompt each, in one run.</summary>
    /// <param name="prompts">No more than <see cref="MostJointPlaces"/>: shorter ones are padded to the longest.</param>
    /// <param name="logits">Of each prompt's last position, [prompts, vocab].</param>
    void Prefill(int first, IReadOnlyList<int[]> prompts, Span<float> logits);
}
