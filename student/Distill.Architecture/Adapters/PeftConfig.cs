using System.Text.Json;
using System.Text.RegularExpressions;

namespace Distill.Architecture;

/// <summary>
/// adapter_config.json as peft writes it, and with it Unsloth, TRL and axolotl: which modules have adapters, and by what their product is
/// multiplied. What changes the result in a way that is not implemented here is refused by name. Source: huggingface/peft,
/// <c>LoraConfig</c> and <c>LoraLayer</c>. Immutable.
/// </summary>
internal sealed record PeftConfig(PeftModules Modules, int Rank, double Alpha, bool IsRankStabilized)
{
    public const string FileName = "adapter_config.json";
    private const long MaxBytes = 4 << 20; // target_modules may list every module of a large model
    private const string KeepsTiedKey = "ensure_weight_tying";

    // Change how peft starts or trains, and nothing of what it has trained; or are handled below.
    private static readonly HashSet<string> s_known =
    [
        "alpha_pattern", "auto_mapping", "base_model_name_or_path", "bias", "corda_config", KeepsTiedKey, "eva_config", "exclude_modules",
        "fan_in_fan_out", "inference_mode", "init_lora_weights", "layers_pattern", "layers_to_transform", "loftq_config", "lora_alpha",
        "lora_bias", "lora_dropout", "lora_ga_config", "megatron_config", "megatron_core", "modules_to_save", "peft_type", "peft_version",
        "qalora_group_size", "r", "rank_pattern", "revision", "runtime_config", "target_modules", "task_type", "use_rslora",
    ];

    // Subtract something of the base's weights before training starts: what was trained stands over other weights than those of the base.
    private static readonly string[] s_changeTheBase = ["pissa", "olora", "corda", "loftq", "lora_ga"];

    /// <summary>Rank of modules by pattern, the first that fits.</summary>
    public IReadOnlyList<(Regex Pattern, double Number)> RankPattern { get; init; } = [];

    /// <inheritdoc cref="RankPattern"/>
    public IReadOnlyList<(Regex Pattern, double Number)> AlphaPattern { get; init; } = [];

    /// <summary>A tied embedding and head stay tied whichever of them was trained.</summary>
    public bool KeepsTied { get; init; }

    public string? BaseModel { get; init; }

    /// <summary>Sentences on what is ignored, as peft ignores it.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <exception cref="InvalidDataException">Names the file and every problem in it.</exception>
    public static PeftConfig Read(string folder)
    {
        string path = FolderFile.Find(folder, FileName)
            ?? throw new InvalidDataException($"'{folder}' is not an adapter: it has no {FileName}.");
        using var document = BoundedJson.Read(path, MaxBytes);
        var fields = new ConfigFields(document.RootElement);
        string? type = fields.OptionalString("peft_type");
        fields.Require(type == "LORA", $"peft_type is {type ?? "missing"}; only LORA can be merged");
        RequireImplemented(fields, document.RootElement);
        var warnings = new List<string>();
        if (fields.OptionalBool("fan_in_fan_out") is true)
            warnings.Add($"'{path}' says fan_in_fan_out, which none of these projections is; it is taken as false, as peft does.");
        var config = new PeftConfig(
            PeftModules.Read(fields), fields.RequiredInt("r"), fields.RequiredDouble("lora_alpha"),
            fields.OptionalBool("use_rslora") is true)
        {
            RankPattern = PeftModules.Numbers(fields, "rank_pattern"),
            AlphaPattern = PeftModules.Numbers(fields, "alpha_pattern"),
            KeepsTied = fields.OptionalBool(KeepsTiedKey) is true,
            BaseModel = fields.OptionalString("base_model_name_or_path") is { Length: > 0 } name ? name : null,
            Warnings = warnings,
        };
        fields.Require(config.Rank > 0 || fields.Problems.Count > 0, $"r {config.Rank} must be positive");
        return fields.Problems.Count == 0 ? config
            : throw new InvalidDataException($"'{path}': {string.Join("; ", fields.Problems.Distinct())}.");
    }

    /// <summary>Rank of a module's adapter.</summary>
    public int RankOf(string module) => (int)(PeftModules.First(RankPattern, module) ?? Rank);

    /// <summary>What B·A of a module is multiplied by: alpha/rank, or alpha/√rank where it is rank-stabilised.</summary>
    public float ScalingOf(string module)
    {
        double alpha = PeftModules.First(AlphaPattern, module) ?? Alpha;
        return (float)(alpha / (IsRankStabilized ? Math.Sqrt(RankOf(module)) : RankOf(module)));
    }

    private static void RequireImplemented(ConfigFields fields, JsonElement root)
    {
        if (root.TryGetProperty("init_lora_weights", out var start) && start.ValueKind == JsonValueKind.String
            && s_changeTheBase.Any(word => start.GetString()!.StartsWith(word, StringComparison.OrdinalIgnoreCase)))
            fields.Problems.Add($"init_lora_weights '{start.GetString()}' changes the base model before it trains; save the adapter with "
                + "path_initial_model_for_weight_conversion, which turns it into one for the unchanged base");
        foreach (var property in root.EnumerateObject())
            if (!s_known.Contains(property.Name) && MeansSomething(property.Value))
                fields.Problems.Add($"{property.Name} is not supported");
    }

    private static bool MeansSomething(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.False => false,
        JsonValueKind.Array => value.GetArrayLength() > 0,
        JsonValueKind.Object => value.EnumerateObject().Any(),
        _ => true,
    };
}
