using System.Text;
using System.Text.Json;
using Distill.Data.Problems;

namespace Distill.Data.Traces;

/// <summary>
/// The README of a folder of trace files: YAML that lets Hugging Face <c>datasets</c> load the folder as it is, then a few
/// words for people. Columns and types follow the files' own schema.
/// </summary>
public sealed record DatasetCard
{
    public required string Title { get; init; }

    /// <summary>What the traces are and how they were made; Markdown.</summary>
    public required string Description { get; init; }

    /// <summary>SPDX identifier in lower case.</summary>
    public string License { get; init; } = "mit";

    /// <summary>What a licence is called for which the Hub has no word; null leaves it out.</summary>
    internal string? LicenseName { get; init; }

    /// <summary>The Hub's word for how many rows there are, e.g. <c>1K&lt;n&lt;10K</c>; null leaves it out.</summary>
    internal string? SizeCategory { get; init; }

    /// <summary>Whether the files hold graded traces.</summary>
    public bool Graded { get; init; }

    /// <summary>The files of each split with bytes and rows, relative to the card's folder.</summary>
    public required IReadOnlyDictionary<Split, IReadOnlyList<Storage.ArtifactFile>> Files { get; init; }

    /// <summary>The card as UTF-8 Markdown; equal cards give equal bytes.</summary>
    public byte[] ToBytes()
    {
        var card = new StringBuilder("---\n");
        card.Append("license: ").Append(Quote(License)).Append('\n');
        if (LicenseName is not null) card.Append("license_name: ").Append(Quote(LicenseName)).Append('\n');
        card.Append("pretty_name: ").Append(Quote(Title)).Append('\n');
        if (SizeCategory is not null) card.Append("size_categories:\n- ").Append(Quote(SizeCategory)).Append('\n');
        card.Append("task_categories:\n- text-generation\ntags:\n- reasoning\n- distillation\n- synthetic\n");
        AppendConfigs(card);
        AppendInfo(card);
        card.Append("---\n\n# ").Append(Title).Append("\n\n").Append(Description.Trim()).Append("\n\n");
        AppendColumns(card);
        return Encoding.UTF8.GetBytes(card.ToString());
    }

    private void AppendConfigs(StringBuilder card)
    {
        card.Append("configs:\n- config_name: default\n  data_files:\n");
        foreach (var (split, files) in Files.OrderBy(pair => pair.Key))
        {
            card.Append("  - split: ").Append(SplitRule.Word(split)).Append("\n    path:\n");
            foreach (var file in files) card.Append("    - ").Append(Quote(file.Path)).Append('\n');
        }
    }

    private void AppendInfo(StringBuilder card)
    {
        card.Append("dataset_info:\n  config_name: default\n  features:\n");
        foreach (var column in Columns) AppendFeature(card, column);
        card.Append("  splits:\n");
        foreach (var (split, files) in Files.OrderBy(pair => pair.Key))
        {
            card.Append("  - name: ").Append(SplitRule.Word(split)).Append('\n');
            card.Append("    num_bytes: ").Append(files.Sum(file => file.Bytes)).Append('\n');
            card.Append("    num_examples: ").Append(files.Sum(file => file.Rows ?? 0)).Append('\n');
        }

        long bytes = Files.Values.SelectMany(files => files).Sum(file => file.Bytes);
        card.Append("  download_size: ").Append(bytes).Append("\n  dataset_size: ").Append(bytes).Append('\n');
    }

    // {"feature":X,"_type":"List"} becomes "list: X" and {"dtype":T,"_type":"Value"} "dtype: T", as the hub writes them.
    private static void AppendFeature(StringBuilder card, TraceColumn column)
    {
        using var feature = JsonDocument.Parse(column.Feature);
        card.Append("  - name: ").Append(column.Name).Append('\n');
        var root = feature.RootElement;
        if (!root.TryGetProperty("feature", out var element))
        {
            card.Append("    dtype: ").Append(TypeOf(root)).Append('\n');
            return;
        }

        if (element.TryGetProperty("dtype", out _))
        {
            card.Append("    list: ").Append(TypeOf(element)).Append('\n');
            return;
        }

        card.Append("    list:\n");
        foreach (var field in element.EnumerateObject())
            card.Append("    - name: ").Append(field.Name).Append("\n      dtype: ").Append(TypeOf(field.Value)).Append('\n');
    }

    private void AppendColumns(StringBuilder card)
    {
        card.Append("One row is one completion. Columns: ")
            .AppendJoin(", ", Columns.Select(column => $"`{column.Name}`"))
            .Append(".\n");
    }

    private IReadOnlyList<TraceColumn> Columns => Graded ? TraceColumns.Graded : TraceColumns.Raw;

    private static string TypeOf(JsonElement value)
    {
        string type = value.GetProperty("dtype").GetString()!;
        return type.All(c => char.IsAsciiLetterOrDigit(c)) ? type : Quote(type);
    }

    // A JSON string is a YAML double-quoted scalar.
    private static string Quote(string text) => JsonSerializer.Serialize(text);
}
