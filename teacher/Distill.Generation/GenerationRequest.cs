namespace Distill.Generation;

/// <summary>One prompt to complete, one or several times.</summary>
public sealed record GenerationRequest
{
    public required IReadOnlyList<int> Prompt { get; init; }

    public required int MaxNewTokens { get; init; }

    public SamplingOptions Sampling { get; init; } = SamplingOptions.Greedy;

    /// <summary>Any of these ends the completion and is kept as its last token.</summary>
    public IReadOnlyList<int> StopTokens { get; init; } = [];

    /// <summary>One completion per seed: the prompt is read once and its cache copied. Same seed, same completion.</summary>
    public required IReadOnlyList<ulong> Seeds { get; init; }
}
