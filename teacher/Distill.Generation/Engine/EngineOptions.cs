namespace Distill.Generation;

/// <summary>
/// How much a <see cref="GenerationEngine"/> does at once; none of it changes what is generated, except where the length ends it.
/// </summary>
public sealed record EngineOptions
{
    /// <summary>Rows decoded together, over all workers. Default 16.</summary>
    public int Slots { get; init; } = 16;

    /// <summary>Threads with a session each; as in <see cref="BatchGenerator"/>. Default 1.</summary>
    public int Workers { get; init; } = 1;

    /// <summary>Longest sequence, prompt and completion together: the cache of every slot is this long. Default: the model's.</summary>
    public int? MaxLength { get; init; }

    /// <summary>Requests that may wait for a slot before another is refused. Default 256.</summary>
    public int MaxWaiting { get; init; } = 256;

    /// <summary>
    /// Prompt tokens read between two steps while rows are running: a long prompt then delays the others little. Default 512.
    /// </summary>
    public int PromptTokensPerStep { get; init; } = 512;

    /// <exception cref="ArgumentException">Names every impossible value at once.</exception>
    public void Validate(int modelMaxLength)
    {
        var problems = new List<string>();
        if (Slots < 1) problems.Add($"Slots {Slots} must be at least 1");
        if (Workers < 1 || Workers > Math.Max(Slots, 1)) problems.Add($"Workers {Workers} must be in 1..Slots");
        if (MaxLength is { } length && (length < 2 || length > modelMaxLength))
            problems.Add($"MaxLength {length} must be in 2..{modelMaxLength}, the model's");
        if (MaxWaiting < 1) problems.Add($"MaxWaiting {MaxWaiting} must be at least 1");
        if (PromptTokensPerStep < 1) problems.Add($"PromptTokensPerStep {PromptTokensPerStep} must be at least 1");
        if (problems.Count > 0) throw new ArgumentException("Impossible engine options: " + string.Join("; ", problems) + ".");
    }
}

/// <summary>What happens to a request while it is served.</summary>
/// <param name="SeedIndex">Which of the request's completions.</param>
public abstract record GenerationEvent(int SeedIndex);

/// <param name="Text">What may be shown now; empty unless <see cref="GenerationRequest.Text"/> asks for text.</param>
public sealed record TokenGenerated(int SeedIndex, TokenChoice Choice, string Text) : GenerationEvent(SeedIndex);

/// <summary>The last event of a completion.</summary>
public sealed record CompletionEnded(int SeedIndex, Completion Completion) : GenerationEvent(SeedIndex);

/// <summary>As many requests wait already as the engine lets wait; the request was not taken. Try again later.</summary>
public sealed class EngineBusyException(int waiting) : Exception($"The engine is busy: {waiting} requests wait already.")
{
    public int Waiting => waiting;
}
