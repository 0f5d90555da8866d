namespace Distill.Generation;

/// <summary>What a run of the <see cref="BatchGenerator"/> has done so far.</summary>
public readonly record struct GenerationProgress
{
    public int Completions { get; init; }

    /// <summary>Completions asked for.</summary>
    public int Total { get; init; }

    public long CompletionTokens { get; init; }

    public long PromptTokens { get; init; }

    public long Prefills { get; init; }

    /// <summary>Caches copied: for further seeds of a prompt and for closing holes.</summary>
    public long Copies { get; init; }

    public long Steps { get; init; }

    /// <summary>Rows advanced over all steps; divided by steps × slots it is the share of slots kept busy.</summary>
    public long RowSteps { get; init; }

    public static GenerationProgress operator +(GenerationProgress a, GenerationProgress b) => a.Add(b);

    public GenerationProgress Add(GenerationProgress other) => new()
    {
        Completions = Completions + other.Completions,
        Total = Total + other.Total,
        CompletionTokens = CompletionTokens + other.CompletionTokens,
        PromptTokens = PromptTokens + other.PromptTokens,
        Prefills = Prefills + other.Prefills,
        Copies = Copies + other.Copies,
        Steps = Steps + other.Steps,
        RowSteps = RowSteps + other.RowSteps,
    };
}
