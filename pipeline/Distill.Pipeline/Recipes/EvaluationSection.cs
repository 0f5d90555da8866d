using Distill.Evaluation;

namespace Distill.Pipeline.Recipes;

/// <summary><c>evaluation</c>: the same measurement for every model of the run, on the test problems and their twins.</summary>
public sealed record EvaluationSection
{
    /// <summary>Completions drawn per problem for pass@1, besides the greedy one. 0..1,024, default 4; 0 measures greedy only.</summary>
    public int Samples { get; init; }

    /// <summary>Of those completions. (0, 10], default 1.</summary>
    public double Temperature { get; init; }

    /// <summary>Completions decoded together; changes the speed, never the result. 1..4,096, default 64.</summary>
    public int Slots { get; init; }

    /// <summary>Longest completion. 1..1,000,000, default 192.</summary>
    public int MaxTokens { get; init; }

    internal static EvaluationSection Bind(SectionReader reader)
    {
        var section = new EvaluationSection
        {
            Samples = reader.Integer("samples", 4, 0, 1024),
            Temperature = reader.Number("temperature", 1, 0, 10, above: true),
            Slots = reader.Integer("slots", 64, 1, 4096),
            MaxTokens = reader.Integer("max_tokens", 192, 1, 1_000_000),
        };
        reader.Close();
        return section;
    }

    internal EvaluationOptions ToOptions(ulong seed) => new()
    {
        Seed = seed,
        Samples = Samples,
        Temperature = Temperature,
        MaxNewTokens = MaxTokens,
    };
}
