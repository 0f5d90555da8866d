using System.Globalization;
using System.Text;
using Distill.Architecture;
using Distill.Data.Publishing.Licences;

namespace Distill.Export.Package;

/// <summary>What a card says that follows from the folder it lies in.</summary>
/// <param name="Precision">Null for safetensors.</param>
/// <param name="Numbers">What the weights are stored as.</param>
/// <param name="EndTokens">Every id that ends a reply.</param>
internal sealed record CardFacts(
    DecoderArchitecture Architecture, ExportPrecision? Precision, string Numbers, IReadOnlyList<int> EndTokens,
    GenerationDefaults Generation)
{
    /// <summary>Null for safetensors.</summary>
    public GraphSignature? Graph { get; init; }

    /// <summary>Whether the mask says where a row's tokens are; otherwise only how many it has.</summary>
    public bool ReadsMask { get; init; }

    /// <summary>Whether adapters lie beside the graph.</summary>
    public bool HasAdapters { get; init; }

    /// <summary>Null where the folder's tokenizer or template cannot be followed here.</summary>
    public CardPrompt? Prompt { get; init; }
}

/// <summary>
/// README.md of a model folder: the metadata that model hubs read, what the model is, how to run it, where it comes from.
/// </summary>
internal static class ModelCard
{
    public const string Name = "README.md";

    public static string Write(CardFacts facts, PackageDescription description)
    {
        var card = new StringBuilder(CardHeader.Write(
            description, facts.Precision is null ? "transformers" : "onnxruntime",
            facts.Precision is ExportPrecision.Int8 or ExportPrecision.Int4));
        card.Append($"# {Plain(description.Name)}\n\n{description.Summary}\n\n");
        if (description.Teacher is { } teacher) card.Append($"Distilled from {Plain(teacher)}.\n\n");
        Lineage(card, description);
        Architecture(card, facts);
        Results(card, description);
        card.Append(FormTable.Markdown(description.Forms));
        RecordedParity.Append(card, description.Parity);
        Licences(card, description);
        Speaking(card, description);
        Sampling(card, facts.Generation);
        if (facts.Graph is { } graph) CardUsage.Onnx(card, facts, graph);
        else CardUsage.Safetensors(card, facts);
        if (facts.Precision is not null) card.Append("`distill.json` names what this model was made from and the digest of every file.\n");
        return card.ToString();
    }

    /// <summary>One line, no table or YAML syntax of its own.</summary>
    public static string Plain(string text) => text.Replace('\n', ' ').Replace('|', '/');

    /// <summary>An indented block: no fence in the text can end it.</summary>
    public static string Quoted(string text) =>
        string.Concat(text.ReplaceLineEndings("\n").Split('\n').Select(line => $"    {line}".TrimEnd() + "\n")) + "\n";

    private static void Lineage(StringBuilder card, PackageDescription description)
    {
        if (description.BaseModel is null && description.Adapter is null) return;
        card.Append("Made from ");
        card.Append(description.BaseModel is { } model ? Plain(model) : "a checkpoint");
        if (description.Adapter is { } adapter) card.Append($", with the adapter {Plain(adapter)} merged into it");
        card.Append(".\n\n");
    }

    private static void Licences(StringBuilder card, PackageDescription description)
    {
        card.Append(LicenceMarkdown.Section(description.Licensed));
        if (description.Conflicts.Count == 0) return;
        card.Append("Not to be published, by the recipe's own policy:\n\n");
        foreach (var conflict in description.Conflicts) card.Append($"- {Plain(conflict.ToString())}\n");
        card.Append('\n');
    }

    private static void Speaking(StringBuilder card, PackageDescription description)
    {
        if (description.IsPlain) return;
        card.Append("## How it was spoken to in training\n\n");
        if (description.Prompt.System is { } system) card.Append("Every chat began with this system message:\n\n").Append(Quoted(system));
        var options = description.Prompt.TemplateOptions.OrderBy(pair => pair.Key, StringComparer.Ordinal);
        if (description.Prompt.TemplateOptions.Count > 0)
            card.Append("Its chat template was rendered with ")
                .AppendJoin(", ", options.Select(option => $"`{Plain(option.Key)}: {Plain(option.Value.GetRawText())}`")).Append(".\n\n");
        card.Append("It answers best when it is spoken to the same way; the prompt below is.\n\n");
    }

    private static void Sampling(StringBuilder card, GenerationDefaults generation)
    {
        var values = new (string Name, double? Value)[]
        {
            ("temperature", generation.Temperature), ("top_k", generation.TopK), ("top_p", generation.TopP),
            ("repetition_penalty", generation.RepetitionPenalty),
        }.Where(pair => pair.Value is not null).Select(pair => string.Create(CultureInfo.InvariantCulture, $"`{pair.Name}` {pair.Value}"));
        if (!values.Any() && generation.Samples is null) return;
        card.Append($"Its authors {(generation.Samples is false ? "decode greedily" : "sample")}");
        card.Append(values.Any() ? $" with {string.Join(", ", values)}" : "").Append(" (`generation_config.json`).\n\n");
    }

    private static void Architecture(StringBuilder card, CardFacts facts)
    {
        var a = facts.Architecture;
        card.Append("| | |\n|---|---|\n");
        void Row(string label, string value) => card.Append($"| {label} | {value} |\n");
        string tied = a.TieEmbeddings ? ", tied embeddings" : "";
        Row("architecture", $"{a.ModelType}: RMSNorm, {Rotary(a)}, grouped-query attention{Attention(a)}, SwiGLU{tied}");
        Row("parameters", a.ParameterCount.ToString("N0", CultureInfo.InvariantCulture));
        Row("width, layers", $"{a.HiddenSize}, {a.Layers}");
        Row("heads, key-value heads, head size", $"{a.Heads}, {a.KeyValueHeads}, {a.HeadSize}");
        Row("vocabulary, context", $"{a.VocabularySize}, {a.MaxPositions}");
        Row("precision", facts.Numbers);
        card.Append('\n');
    }

    private static string Rotary(DecoderArchitecture a) =>
        (a.RotaryScaling is DefaultRotary ? "rotary" : $"rotary scaled by {a.RotaryScaling.TypeName}")
            + (a.PlainLayers.Count > 0 ? $" but in layers {a.PlainLayers}" : "");

    private static string Attention(DecoderArchitecture a) =>
        (a.QueryKeyNorm ? ", QK-norm" : "")
            + (a.SlidingWindow is { } window ? $" (a window of {window} in {a.WindowLayers.Count} of {a.Layers} layers)" : "");

    private static void Results(StringBuilder card, PackageDescription description)
    {
        if (description.Results.Count == 0) return;
        card.Append("## Results\n\n| | |\n|---|---|\n");
        foreach (var (label, value) in description.Results) card.Append($"| {Plain(label)} | {Plain(value)} |\n");
        card.Append('\n');
    }
}
