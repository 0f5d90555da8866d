using Distill.Pipeline.Models;
using Distill.Pipeline.Recipes.Binding;
using Distill.Student.Adapters;
using Distill.Student.Pruning;

namespace Distill.Pipeline.Recipes.Sections;

/// <summary><c>student</c>: the model that is changed, and what is done to it before it learns.</summary>
internal sealed record StudentSection : Section
{
    private const string CutRemedy = "leave it out, or set sft.enabled to true";

    [Option("folder of a checkpoint (`config.json`, safetensors, tokenizer), or `hf://owner/name`", Required = true,
        Path = PathUse.Folder, Pulls = PulledModel.Checkpoint,
        Files = ["config.json", "tokenizer.json"], Remedy = "give the folder of a checkpoint")]
    public string Base { get; init; } = "";

    [Option("layers the student keeps of the base", Minimum = 1, Maximum = 1024, Default = "all")]
    public int? Layers { get; init; }

    [Option("feed-forward channels it keeps in every layer", Minimum = 1, Maximum = 1 << 20, Default = "all")]
    public int? Intermediate { get; init; }

    [Option("key-value heads it keeps in every layer, each with all its query heads", Minimum = 1, Maximum = 1024, Default = "all")]
    public int? KeyValueHeads { get; init; }

    [Option("give a base without `<think>` and `</think>` these tokens: ids that its tokenizer holds in reserve first, else new rows")]
    public bool AddTokens { get; init; }

    [Option("where it is trained; its completions are made there too where its graph can be run there", Words = nameof(DeviceWords),
        From = "device", DecidesResult = false)]
    public string Device { get; init; } = DeviceChoice.Auto;

    internal static IReadOnlyList<string> DeviceWords => DeviceChoice.Words;

    [Option("licence of the base, e.g. `apache-2.0`, for the model's card and `publish`", Default = "not stated", DecidesResult = false)]
    public string Licence { get; init; } = "";

    public override IEnumerable<Rule> Rules(Recipe recipe)
    {
        bool isTuned = recipe is not DistillationRecipe { Sft.Enabled: false, AnswerOnly.Enabled: false };
        foreach (string name in (string[])[nameof(Layers), nameof(Intermediate), nameof(KeyValueHeads)])
            yield return Rule.Unused(!isTuned, name, "a base is cut at the beginning of fine-tuning, which is off", CutRemedy);
    }

    /// <returns>Null when the base stays as it is.</returns>
    internal PruningOptions? ToPruning() =>
        Layers is null && Intermediate is null && KeyValueHeads is null ? null : new PruningOptions(Layers, Intermediate, KeyValueHeads);
}

/// <summary>Which projections of each layer get adapters.</summary>
internal enum AdapterTargets
{
    All,

    /// <summary>Query, key, value and output projection.</summary>
    Attention,

    /// <summary>Gate, up and down projection.</summary>
    FeedForward,
}

/// <summary>In what form fine-tuning of adapters reads the frozen weights.</summary>
internal enum FrozenWeights
{
    /// <summary>As the training's precision has them.</summary>
    Float,

    /// <summary>8 bits in blocks of 32.</summary>
    Int8,

    /// <summary>4 bits in blocks of 32.</summary>
    Int4,
}

/// <summary><c>lora</c>: fine-tuning trains low-rank adapters over frozen weights; the student is the merged model.</summary>
internal sealed record LoraSection : Section
{
    [Option("rank of the adapters", Minimum = 1, Maximum = 4096)]
    public int Rank { get; init; } = 16;

    [Option("the adapters' product counts alpha/rank times", Minimum = 0, Above = true, Maximum = 100_000)]
    public double Alpha { get; init; } = 32;

    [Option("projections with adapters")]
    public AdapterTargets Targets { get; init; } = AdapterTargets.All;

    [Option("alpha/√rank instead")]
    public bool RankStabilized { get; init; }

    [Option("how the frozen weights lie in memory while the adapters are trained; the merged model is of the whole base either way")]
    public FrozenWeights Frozen { get; init; } = FrozenWeights.Float;

    /// <summary>Whether the base stays in the computer's memory and only what is read of it lies on the device.</summary>
    internal bool KeepsBaseAside => Frozen != FrozenWeights.Float;

    internal LowRankOptions ToOptions() => new(Rank, Alpha, [.. LowRankOptions.AllTargets.Where(IsTarget)], RankStabilized)
    {
        Frozen = Frozen switch
        {
            FrozenWeights.Int8 => FrozenForm.Int8,
            FrozenWeights.Int4 => FrozenForm.Int4,
            _ => FrozenForm.Float,
        },
    };

    private bool IsTarget(string projection) => Targets switch
    {
        AdapterTargets.All => true,
        AdapterTargets.Attention => projection is "q_proj" or "k_proj" or "v_proj" or "o_proj",
        AdapterTargets.FeedForward => projection is "gate_proj" or "up_proj" or "down_proj",
        _ => throw new InvalidOperationException($"Unknown targets {Targets}."),
    };
}
