using Distill.Pipeline.Recipes.Binding;
using Distill.Teacher.Remote.Batches;
using Distill.Teacher.Remote.Calls;
using Distill.Tokenization;

namespace Distill.Pipeline.Recipes.Sections;

/// <summary>What <c>teacher</c> says of an endpoint besides what every endpoint has.</summary>
internal abstract record RemoteTeacherSection : EndpointSection
{
    [Option("system message before every problem for the teacher alone: in place of `prompt.system`, which the student would have too; "
        + "not part of the traces", Default = "that of `prompt.system`")]
    public string Instructions { get; init; } = "";

    [Option("send each sample's seed; switch it off where an endpoint refuses it")]
    public bool SendSeed { get; init; } = true;

    [Option("ask a server of vLLM for token ids and log-probabilities, so that `soft_labels` work; needs `teacher.tokenizer`")]
    public bool TokenIds { get; init; }

    [Option("folder with the endpoint model's `tokenizer.json`, which reads its token ids", Default = "none", Path = PathUse.Folder,
        Files = ["tokenizer.json"], Remedy = "give the folder that the server has the model from, or its tokenizer alone")]
    public string? Tokenizer { get; init; }

    [Option("ask through a batch interface, at half the price and with answers within a day: that of `openai`, which others imitate, or of "
        + "`anthropic`", DecidesResult = false)]
    public BatchInterface Batch { get; init; }

    [Option("requests of one batch at most", Minimum = 1, Maximum = 100_000, Default = "what the interface allows", DecidesResult = false)]
    public int? BatchSize { get; init; }

    /// <summary>What is listed is the price of single requests.</summary>
    internal override TokenPrices Prices => Batch == BatchInterface.None ? base.Prices
        : new(base.Prices.Prompt / 2, base.Prices.Completion / 2);

    public override object? DefaultOf(string property, Recipe recipe) => property switch
    {
        nameof(Instructions) when Endpoint.Length > 0 && recipe is DistillationRecipe { Prompt.System: var system } => system,
        nameof(SendSeed) when Batch == BatchInterface.Anthropic => false,
        _ => base.DefaultOf(property, recipe),
    };

    public override IEnumerable<Rule> Rules(Recipe recipe)
    {
        var needing = SectionDeclaration.Of(typeof(TeacherSection)).Options.Select(option => option.PropertyName)
            .Where(name => name != nameof(Endpoint) && typeof(RemoteTeacherSection).GetProperty(name) is not null);
        foreach (string name in needing)
            yield return Rule.Unused(Endpoint.Length == 0, name, "only a teacher at an endpoint has it",
                "give teacher.endpoint, or leave it out") with { ShowsValue = false };
        foreach (var rule in base.Rules(recipe)) yield return rule;
        string system = (recipe as DistillationRecipe)?.Prompt.System ?? "";
        yield return Rule.Require(system.Length == 0 || Endpoint.Length == 0 || Instructions == system, nameof(Instructions),
            "prompt.system is another system message for the same prompts",
                "keep one of the two; prompt.student_system gives the student its own");
        yield return Rule.Require(!TokenIds || Endpoint.Length == 0 || Tokenizer is not null, nameof(TokenIds),
            "without the model's tokenizer nobody knows what its ids mean", "give teacher.tokenizer, the folder with its tokenizer.json");
        yield return Rule.Unused(Endpoint.Length > 0 && !TokenIds, nameof(Tokenizer), "no token ids are asked for",
            "set teacher.token_ids to true, or leave it out");
        yield return Rule.Require(!TokenIds || Batch == BatchInterface.None, nameof(Batch), "batch interfaces give no token ids",
            "leave it out, or leave teacher.token_ids out");
        yield return Rule.Require(Batch == BatchInterface.None || recipe is not DistillationRecipe { Traces.IsPlain: false }, nameof(Batch),
            "a batch asks for every sample at once, and traces says to go by the answers or a budget",
            "leave it out, or leave accepted_per_problem, give_up_after, balance and the limits of traces out");
        yield return Rule.Require(!SendSeed || Batch != BatchInterface.Anthropic, nameof(SendSeed), "anthropic knows no seeds",
            "leave it out");
        yield return Rule.Unused(Batch == BatchInterface.None, nameof(BatchSize), "nothing is asked in batches",
            "set teacher.batch, or leave it out");
    }

    internal BatchOptions ToBatches() => new() { MostRequests = BatchSize ?? int.MaxValue };

    /// <summary>The tokenizer of the endpoint's model; null where no token ids are asked for.</summary>
    /// <exception cref="InvalidDataException">It cannot be read.</exception>
    internal Tokenizer? OpenTokenizer() => TokenIds && Tokenizer is { } folder ? Tokenization.Tokenizer.Load(folder) : null;
}
