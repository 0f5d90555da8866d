namespace Distill.Pipeline.Recipes;

/// <summary><c>parity</c>: the gate between the trained and the exported model. A failure ends the run with exit code 3.</summary>
public sealed record ParitySection
{
    /// <summary>Test problems compared. 1..problems.test, default the smaller of 50 and that.</summary>
    public int Prompts { get; init; }

    /// <summary>Greedy tokens compared for each. 1..1,000,000, default 128.</summary>
    public int Tokens { get; init; }

    /// <summary>Largest logit difference allowed, as a share of the largest logit. 0..1, default 0.0001 (0.05 and up suits int8 and int4).</summary>
    public double Tolerance { get; init; }

    internal static ParitySection Bind(SectionReader reader, ProblemSection problems)
    {
        var section = new ParitySection
        {
            Prompts = reader.Integer("prompts", Math.Min(50, problems.Test), 1, 1_000_000),
            Tokens = reader.Integer("tokens", 128, 1, 1_000_000),
            Tolerance = reader.Number("tolerance", 1e-4, 0, 1),
        };
        reader.Require(section.Prompts <= problems.Test, "prompts", $"more than the {problems.Test:N0} test problems", "lower it or raise problems.test");
        reader.Close();
        return section;
    }
}
