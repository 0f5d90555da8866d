namespace Distill.Generation;

/// <summary>How much a <see cref="GenerationEngine"/> does at once; none of it changes what is generated, except where the length ends it.</summary>
public sealed record EngineOptions
{
    /// <summary>Rows decoded together, over all workers. Default 16.</summary>
    public int Slots { get; init; } = 16;

    /// <summary>Threads with a session each; as in <see cref="GeneratorOptions.Workers"/>. Default 1.</summary>
    public int Workers { get; init; } = 1;

    /// <summary>Longest sequence, prompt and completion together: the cache of every slot is this long. Default: the model's.</summary>
    public int? MaxLength { get; init; }

    /// <summary>Requests that may wait for a slot before another is refused. Default 256.</summary>
    public int MaxWaiting { get; init; } = 256;

    /// <summary>Prompt tokens read between two steps while rows are running: a long prompt then delays the others little. Default 512.</summary>
    public int PromptTokensPerStep { get; init; } = 512;

    /// <exception cref="ArgumentException">Names every impossible value at once.</exception>
    public void Validate(int modelMaxLength)
    {
        var problems = new List<string>();
        if (Slots < 1) problems.Add($"Slots {Slots} must be at least 1");
        if (Workers < 1 || Workers > Math.Max(Slots, 1)) problems.Add($"Workers {Workers} must be in 1..Slots");
        if (MaxLength is { } length && (length < 2 || length > modelMaxLength)) problems.Add($"MaxLength {length} must be in 2..{modelMaxLength}, the model's");
        if (MaxWaiting < 1) problems.Add($"MaxWaiting {MaxWaiting} must be at least 1");
        if (PromptTokensPerStep < 1) problems.Add($"PromptTokensPerStep {PromptTokensPerStep} must be at least 1");
        if (problems.Count > 0) throw new ArgumentException("Impossible engine options: " + string.Join("; ", problems) + ".");
    }
}
