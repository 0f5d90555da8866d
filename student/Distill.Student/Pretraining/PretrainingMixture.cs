namespace Distill.Student.Pretraining;

/// <summary>What a model is pretrained on. Shares of the three kinds of text are relative to one another.</summary>
public sealed record PretrainingMixture
{
    public required IReadOnlyList<ProblemShare> Problems { get; init; }

    /// <summary>Problems with their solutions as chats, of which the reply is learned: makes a reasoner.</summary>
    public double Solutions { get; init; }

    /// <summary>Problem texts alone, learned whole: teaches the language of the problems.</summary>
    public double Texts { get; init; }

    /// <summary>Single-step facts, learned whole: teaches the steps without their order.</summary>
    public double Facts { get; init; }

    public int FactsPerSequence { get; init; } = 8;
}
