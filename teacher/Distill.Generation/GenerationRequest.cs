namespace Distill.Generation;

/// <summary>One prompt to complete, one or several times.</summary>
public sealed record GenerationRequest
{
    public required IReadOnlyList<int> Prompt { get; init; }

    public required int MaxNewTokens { get; init; }

    /// <summary>How every completion is sampled, unless <see cref="SamplingBySeed"/> says otherwise.</summary>
    public SamplingOptions Sampling { get; init; } = SamplingOptions.Greedy;

    /// <summary>One entry per seed, or null: lets a greedy answer and samples of one prompt share its prefill.</summary>
    public IReadOnlyList<SamplingOptions>? SamplingBySeed { get; init; }

    /// <summary>Any of these ends the completion and is kept as its last token.</summary>
    public IReadOnlyList<int> StopTokens { get; init; } = [];

    /// <summary>One completion per seed: the prompt is read once and its cache copied. Same seed, same completion.</summary>
    public required IReadOnlyList<ulong> Seeds { get; init; }

    public SamplingOptions SamplingOf(int seedIndex) => SamplingBySeed is { } each ? each[seedIndex] : Sampling;
}
