namespace Distill.Evaluation;

/// <summary>What an evaluation generates; all of it decides the result.</summary>
public sealed record EvaluationOptions
{
    /// <summary>Seed of the sampled completions. Default 0.</summary>
    public ulong Seed { get; init; }

    /// <summary>Sampled completions per problem besides the greedy one; 0 draws none. Default 4.</summary>
    public int Samples { get; init; } = 4;

    /// <summary>Of the sampled completions. Default 1: the model's own distribution.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>Default 256.</summary>
    public int MaxNewTokens { get; init; } = 256;

    /// <summary>Greedy completions shown in the report. Default 2.</summary>
    public int SampleTraces { get; init; } = 2;
}
