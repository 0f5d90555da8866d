using System.Globalization;
using System.Text;
using Distill.Export.Package;

namespace Distill.Export.Gguf;

/// <summary>README.md beside a GGUF file: what it is, where it comes from, how to run it.</summary>
internal static class GgufCard
{
    public const string Name = "README.md";

    /// <param name="file">The GGUF file's name.</param>
    /// <param name="digest">Its SHA-256.</param>
    public static string Write(
        GgufPrecision precision, PackageDescription description, GgufSummary summary, string file, string digest)
    {
        var a = summary.Architecture;
        var card = new StringBuilder();
        card.Append(CardHeader.Write(description, "gguf", precision is GgufPrecision.Block8 or GgufPrecision.Block4));
        card.Append($"# {ModelCard.Plain(description.Name)}\n\n{description.Summary}\n\n| | |\n|---|---|\n");
        void Row(string label, string value) => card.Append($"| {label} | {value} |\n");
        Row("file", $"`{file}`, {(summary.Bytes / 1e6).ToString("N1", CultureInfo.InvariantCulture)} MB");
        Row("SHA-256", $"`{digest}`");
        Row("numbers", $"{precision.Name()}; norms and biases fp32");
        Row("architecture", $"{GgufArchitecture.NameOf(a)}, {a.ParameterCount.ToString("N0", CultureInfo.InvariantCulture)} parameters");
        Row("context", a.MaxPositions.ToString("N0", CultureInfo.InvariantCulture));
        Row("end tokens", string.Join(", ", a.EndTokenIds));
        if (description.BaseModel is { } model) Row("made from", ModelCard.Plain(model));
        if (description.Adapter is { } adapter) Row("with the adapter", ModelCard.Plain(adapter));
        foreach (var (role, made) in description.Digests.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            Row($"digest of {role}", $"`{made}`");
        card.Append("\n## Running it\n\n");
        card.Append($"    llama-cli -m {file} -cnv\n    llama-server -m {file}\n\n");
        card.Append("llama.cpp takes tokenizer, chat template and end tokens from the file. Such files were tried in it by LLamaSharp.\n");
        if (summary.Notes.Count > 0) card.Append("\n## Good to know\n\n");
        foreach (string note in summary.Notes) card.Append($"- {note}\n");
        return card.ToString();
    }
}
