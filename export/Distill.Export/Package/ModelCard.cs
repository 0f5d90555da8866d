using System.Globalization;
using System.Text;
using Distill.Architecture;
using Distill.Data.Publishing.Licences;

namespace Distill.Export.Package;

/// <summary>
/// README.md of a model folder: the metadata that model hubs read, what the model is, how to run it, where it comes from.
/// </summary>
internal static class ModelCard
{
    public const string Name = "README.md";

    /// <param name="prompt">One prompt as the model reads it; null for a model that reads chats as they are.</param>
    public static string Write(DecoderArchitecture a, ExportPrecision precision, PackageDescription description, string? prompt)
    {
        var card = new StringBuilder();
        string licence = description.License, word = LicenceTable.Find(licence) is null ? licence : LicenceTable.HubWord(licence);
        card.Append($"---\nlicense: {Plain(word)}\n");
        if (word == "other" && licence != word) card.Append($"license_name: {Plain(licence)}\n");
        card.Append($"{LicenceMarkdown.Refusal(description.Conflicts)}library_name: onnxruntime\npipeline_tag: text-generation\n");
        card.Append("tags:\n- onnx\n- distillation\n- reasoning\n---\n\n");
        card.Append($"# {Plain(description.Name)}\n\n{description.Summary}\n\n");
        if (description.Teacher is { } teacher) card.Append($"Distilled from {Plain(teacher)}.\n\n");
        Architecture(card, a, precision);
        Results(card, description);
        Parity(card, description);
        Licences(card, description);
        if (prompt is not null) Speaking(card, description, prompt);
        Running(card, precision);
        return card.ToString();
    }

    private static void Licences(StringBuilder card, PackageDescription description)
    {
        card.Append(LicenceMarkdown.Section(description.Licensed));
        if (description.Conflicts.Count == 0) return;
        card.Append("Not to be published, by the recipe's own policy:\n\n");
        foreach (var conflict in description.Conflicts) card.Append($"- {Plain(conflict.ToString())}\n");
        card.Append('\n');
    }

    private static void Running(StringBuilder card, ExportPrecision precision)
    {
        card.Append("## Running it\n\n- ONNX Runtime GenAI: point it at this folder.\n");
        if (!precision.RunsOnProcessor()) card.Append("- It runs on CUDA devices; a CPU cannot compute it.\n");
        if (precision.BrowserName() is { } type)
            card.Append($"- transformers.js: `pipeline(\"text-generation\", folder, {{ dtype: \"{type}\" }})`, one prompt at a time.\n");
        card.Append("- Plain ONNX Runtime: feed `input_ids`, `attention_mask` and the `past_key_values.*` of the step before; ");
        card.Append("pad rows on the right, never on the left.\n\n");
        card.Append("`distill.json` names what this model was made from and the digest of every file.\n");
    }

    private static void Speaking(StringBuilder card, PackageDescription description, string prompt)
    {
        card.Append("## How it was spoken to in training\n\n");
        if (description.Prompt.System is { } system) card.Append("Every chat began with this system message:\n\n").Append(Quoted(system));
        var options = description.Prompt.TemplateOptions.OrderBy(pair => pair.Key, StringComparer.Ordinal);
        if (description.Prompt.TemplateOptions.Count > 0)
            card.Append("Its chat template was rendered with ")
                .AppendJoin(", ", options.Select(option => $"`{Plain(option.Key)}: {Plain(option.Value.GetRawText())}`")).Append(".\n\n");
        card.Append("It answers best when it is spoken to the same way. A question as it read it:\n\n").Append(Quoted(prompt));
    }

    // An indented block: no fence in the text can end it.
    private static string Quoted(string text) =>
        string.Concat(text.ReplaceLineEndings("\n").Split('\n').Select(line => $"    {line}".TrimEnd() + "\n")) + "\n";

    private static void Architecture(StringBuilder card, DecoderArchitecture a, ExportPrecision precision)
    {
        card.Append("| | |\n|---|---|\n");
        void Row(string label, string value) => card.Append($"| {label} | {value} |\n");
        string tied = a.TieEmbeddings ? ", tied embeddings" : "";
        Row("architecture", $"{a.ModelType}: RMSNorm, {Rotary(a)}, grouped-query attention{Attention(a)}, SwiGLU{tied}");
        Row("parameters", a.ParameterCount.ToString("N0", CultureInfo.InvariantCulture));
        Row("width, layers", $"{a.HiddenSize}, {a.Layers}");
        Row("heads, key-value heads, head size", $"{a.Heads}, {a.KeyValueHeads}, {a.HeadSize}");
        Row("vocabulary, context", $"{a.VocabularySize}, {a.MaxPositions}");
        Row("precision", precision.Name());
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

    private static void Parity(StringBuilder card, PackageDescription description)
    {
        if (description.Parity is not { } parity) return;
        card.Append("## Parity with the trained model\n\n");
        card.Append($"Largest logit difference {parity.MaxAbsLogitDiff:0.###E+0} (largest logit {parity.MaxAbsLogit:0.###}) ");
        card.Append($"over {parity.PositionsCompared:N0} positions; ");
        card.Append($"{parity.GreedyMismatches} of {parity.GreedyTokensCompared:N0} greedily decoded tokens differ. ");
        card.Append($"Gate: {(parity.Passed ? "passed" : "failed")}.\n\n");
    }

    // One line, no table or YAML syntax of its own.
    private static string Plain(string text) => text.Replace('\n', ' ').Replace('|', '/');
}
