namespace Distill.Export.Parity;

/// <summary>What the gate runs. Sequences and prompts longer than the model reads are a fault of the caller.</summary>
public sealed record ParityInputs
{
    /// <summary>Prompt and completion together; logits are compared at every position.</summary>
    public required IReadOnlyList<IReadOnlyList<int>> Sequences { get; init; }

    /// <summary>Completed greedily through the exported model's cache.</summary>
    public required IReadOnlyList<IReadOnlyList<int>> Prompts { get; init; }

    /// <summary>Tokens per prompt, fewer where the context or a stop token ends it. Default 128.</summary>
    public int MaxNewTokens { get; init; } = 128;

    public IReadOnlyList<int> StopTokens { get; init; } = [];

    /// <summary>Prompts decoded together, of unequal length: the way the model is used. Default 8.</summary>
    public int Slots { get; init; } = 8;
}
