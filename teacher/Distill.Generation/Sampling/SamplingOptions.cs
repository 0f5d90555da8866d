namespace Distill.Generation;

/// <summary>How a token is chosen from a distribution. The default is greedy. Immutable.</summary>
public sealed record SamplingOptions
{
    public static SamplingOptions Greedy { get; } = new();

    /// <summary>The least temperature above 0: less would divide fp32 logits beyond all numbers, and is greedy in all but name.</summary>
    internal const double LeastTemperature = 1e-6;

    /// <summary>0 chooses the most probable token; otherwise logits are divided by this, at least 1e-6, before the softmax.</summary>
    public double Temperature { get; init; }

    /// <summary>Keep only the k most probable tokens, and all that tie with the k-th; 0 keeps all.</summary>
    public int TopK { get; init; }

    /// <summary>Keep the smallest set whose probability reaches this; 1 keeps all.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Drop tokens less probable than this share of the most probable one; 0 keeps all.</summary>
    public double MinP { get; init; }

    /// <summary>Divides positive and multiplies negative logits of tokens already present (CTRL paper); 1 does nothing.</summary>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>
    /// Subtracted from a token's logit for every time that the completion so far has it; −2 to 2, 0 does nothing. Unlike the repetition
    /// penalty it knows nothing of the prompt (OpenAI's definition, as the next).
    /// </summary>
    public double FrequencyPenalty { get; init; }

    /// <summary>Subtracted once from the logit of a token that the completion so far has; −2 to 2, 0 does nothing.</summary>
    public double PresencePenalty { get; init; }

    /// <summary>Token id → number added to its logit before anything else; −∞ forbids it. Null adds nothing.</summary>
    public IReadOnlyDictionary<int, float>? LogitBias { get; init; }

    public bool IsGreedy => Temperature == 0;

    /// <summary>Whether tokens of the completion so far change the next one's logits by their number.</summary>
    internal bool CountsTokens => FrequencyPenalty != 0 || PresencePenalty != 0;

    /// <exception cref="ArgumentException">Names every impossible value at once.</exception>
    public void Validate()
    {
        var problems = new List<string>();
        if (!(Temperature == 0 || (Temperature >= LeastTemperature && double.IsFinite(Temperature))))
            problems.Add($"temperature {Temperature} must be 0 (greedy) or at least {LeastTemperature}");
        if (TopK < 0) problems.Add($"top-k {TopK} must be 0 (all) or positive");
        if (!(TopP is >= 0 and <= 1)) problems.Add($"top-p {TopP} must be in 0..1");
        if (!(MinP is >= 0 and <= 1)) problems.Add($"min-p {MinP} must be in 0..1");
        if (!(RepetitionPenalty > 0 && double.IsFinite(RepetitionPenalty)))
            problems.Add($"repetition penalty {RepetitionPenalty} must be positive");
        if (!(FrequencyPenalty is >= -2 and <= 2)) problems.Add($"frequency penalty {FrequencyPenalty} must be in -2..2");
        if (!(PresencePenalty is >= -2 and <= 2)) problems.Add($"presence penalty {PresencePenalty} must be in -2..2");
        foreach (var (token, bias) in LogitBias ?? new Dictionary<int, float>())
        {
            if (token < 0 || float.IsNaN(bias) || float.IsPositiveInfinity(bias))
                problems.Add($"logit bias {bias} of token {token} must be a number or −∞, the token at least 0");
        }

        if (problems.Count > 0) throw new ArgumentException("Impossible sampling options: " + string.Join("; ", problems) + ".");
    }
}

/// <summary>A chosen token and what the two distributions say of it.</summary>
/// <param name="LogProbability">Under the raw distribution (temperature 1, nothing added or removed).</param>
/// <param name="ProcessedLogProbability">Under the distribution it was drawn from; 0 when greedy, which leaves no choice.</param>
/// <param name="KeptMass">
/// Probability that the truncating filters (top-k, top-p, min-p; greedy keeps one token) left, after bias, penalty and temperature.
/// </param>
public readonly record struct TokenChoice(int Token, float LogProbability, float ProcessedLogProbability, float KeptMass);
