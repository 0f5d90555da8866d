namespace Distill.Generation;

/// <summary>How a token is chosen from a distribution. The default is greedy. Immutable.</summary>
public sealed record SamplingOptions
{
    public static SamplingOptions Greedy { get; } = new();

    /// <summary>0 chooses the most probable token; otherwise logits are divided by this before the softmax.</summary>
    public double Temperature { get; init; }

    /// <summary>Keep only the k most probable tokens; 0 keeps all.</summary>
    public int TopK { get; init; }

    /// <summary>Keep the smallest set whose probability reaches this; 1 keeps all.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Drop tokens less probable than this share of the most probable one; 0 keeps all.</summary>
    public double MinP { get; init; }

    /// <summary>Divides positive and multiplies negative logits of tokens already present (CTRL paper); 1 does nothing.</summary>
    public double RepetitionPenalty { get; init; } = 1;

    public bool IsGreedy => Temperature == 0;
}
