namespace Distill.Cli.Scoring;

/// <summary>Sums over scored tokens.</summary>
/// <param name="Scored">Tokens that count.</param>
/// <param name="Sum">Of their log-probabilities, in nats.</param>
internal readonly record struct ScoreTotal(int Texts, long Tokens, long Scored, double Sum)
{
    /// <summary>Mean negative log-likelihood per scored token; null where none was.</summary>
    public double? MeanNll => Scored == 0 ? null : -Sum / Scored;

    /// <summary>e to the mean: how many tokens the model hesitated between, on average.</summary>
    public double? Perplexity => MeanNll is { } mean ? Math.Exp(mean) : null;

    public static ScoreTotal operator +(ScoreTotal a, ScoreTotal b) => a.Add(b);

    public ScoreTotal Add(ScoreTotal other) =>
        new(Texts + other.Texts, Tokens + other.Tokens, Scored + other.Scored, Sum + other.Sum);
}
