using System.Text.Json.Nodes;
using Distill.Evaluation;
using Distill.Evaluation.Strategies;
using Distill.Pipeline.Recipes.Binding;

namespace Distill.Pipeline.Recipes.Sections;

/// <summary><c>evaluation</c>: the same measurement for every model of the run, on the test problems and their twins.</summary>
internal sealed record EvaluationSection : Section
{
    [Option("sampled completions per problem besides the greedy one; 0: greedy only", Minimum = 0, Maximum = 1024)]
    public int Samples { get; init; } = 4;

    [Option("of the samples", Minimum = 0, Above = true, Maximum = 10)]
    public double Temperature { get; init; } = 1;

    [Option("longest completion", Minimum = 1, Maximum = 1_000_000, Unit = "tokens")]
    public int MaxTokens { get; init; } = 192;

    [Option("completions decoded together; speed only", Minimum = 1, Maximum = 4096, DecidesResult = false)]
    public int Slots { get; init; } = 64;

    [Option(Recipe.OwnSeed, Minimum = 0, Maximum = long.MaxValue, From = "seed")]
    public long Seed { get; init; }

    [Option("ways to find an answer by spending more tokens, tried with the exported model, each up to `samples` times: "
        + "`self-consistency`, `best-of-n`, `best-of-n-verified` (an upper bound), `budget`, `refine`; the report shows their accuracy "
        + "against tokens", Default = "none", Listed = true)]
    public string Strategies { get; init; } = "";

    /// <summary>In their order, each once.</summary>
    internal IReadOnlyList<IStrategy> ChosenStrategies => [.. Words(Strategies).Select(Known).OfType<IStrategy>()];

    public override IEnumerable<Rule> Rules(Recipe recipe)
    {
        string[] unknown = [.. Words(Strategies).Where(word => Known(word) is null)];
        return
        [
            Rule.Require(unknown.Length == 0, nameof(Strategies), $"no such strategy: {string.Join(", ", unknown)}",
                $"write some of {string.Join(", ", StrategyList.All.Select(strategy => strategy.Name))}"),
            Rule.Require(Strategies.Length == 0 || Samples > 0, nameof(Strategies), "evaluation.samples is 0, so there is nothing to spend",
                "set evaluation.samples above 0, or leave it out"),
        ];
    }

    /// <summary>What decides the answers of every model; strategies are a stage of their own.</summary>
    internal JsonObject ToAnswersKey(Recipe recipe) =>
        ToKey(recipe, nameof(Samples), nameof(Temperature), nameof(MaxTokens), nameof(Seed));

    private static IStrategy? Known(string word) => StrategyList.All.FirstOrDefault(strategy => strategy.Name == word);

    private static IEnumerable<string> Words(string list) =>
        list.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Distinct(StringComparer.Ordinal);

    internal EvaluationOptions ToOptions() => new()
    {
        Seed = (ulong)Seed,
        Samples = Samples,
        Temperature = Temperature,
        MaxNewTokens = MaxTokens,
    };
}
