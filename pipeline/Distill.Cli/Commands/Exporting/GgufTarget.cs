using System.CommandLine;
using System.Text;
using Distill.Architecture;
using Distill.Cli.Parsing;
using Distill.Export;
using Distill.Export.Gguf;
using Distill.Export.Package;
using Distill.Storage;

namespace Distill.Cli.Commands.Exporting;

/// <summary>One GGUF file for llama.cpp and what is built on it; with a card beside it where a folder is asked for.</summary>
internal sealed class GgufTarget(Option<string> precision) : IExportTarget
{
    private GgufSummary? written;

    public string Name => "gguf";

    public IReadOnlyList<Option> Options => [precision];

    public bool WritesFile(string place) => place.EndsWith(GgufModel.Extension, StringComparison.OrdinalIgnoreCase);

    public bool Replaces(string folder) => ExportPlaces.HoldsGguf(folder);

    public string Numbers(ParseResult parsed) => PrecisionOf(parsed).Name();

    public void Write(
        string place, ExportSource source, PackageDescription description, ParseResult parsed, CancellationToken cancellation)
    {
        var format = PrecisionOf(parsed);
        bool isFile = WritesFile(place);
        string name = $"{FileName(description.Name)}-{format.Name().ToUpperInvariant()}{GgufModel.Extension}";
        string path = isFile ? place : Path.Combine(place, name);
        written = GgufModel.Write(path, source.Weights, source.Tokenizer, description, format);
        if (isFile) return;
        cancellation.ThrowIfCancellationRequested();
        source.Companions.WriteTerms(place);
        string card = GgufCard.Write(format, description, written, name, FileDigest.OfFile(path));
        DurableFile.Write(Path.Combine(place, GgufCard.Name), Encoding.UTF8.GetBytes(card));
    }

    public IEnumerable<(string Label, string Text)> Notes(string place, ExportSource source, ParseResult parsed) =>
        (written?.Notes ?? []).Select(note => ("note", note));

    private static string FileName(string title)
    {
        char[] plain = [.. title.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' ? c : '-')];
        string name = new string(plain).Trim('-', '.');
        return name.Length == 0 ? "model" : name;
    }

    private GgufPrecision PrecisionOf(ParseResult parsed) => parsed.GetValue(precision) is not { } word ? GgufPrecision.Half
        : GgufPrecisions.Parse(word) ?? throw PrecisionOption.Refused(word, Name, GgufPrecisions.Names);
}

/// <summary><c>--precision</c>, whose words depend on the format.</summary>
internal static class PrecisionOption
{
    public static Option<string> Create() => CommandOptions.Word(
        "--precision",
        $"Number format of the weights. onnx: {string.Join(", ", ExportPrecisions.Names)}, default fp32. "
            + $"gguf: {string.Join(", ", GgufPrecisions.Names)}, default f16.",
        [.. ExportPrecisions.Names.Union(GgufPrecisions.Names)]);

    public static UsageException Refused(string word, string format, IEnumerable<string> words) =>
        new($"--precision {word} is none of --format {format}.", $"Give one of {string.Join(", ", words)}.");
}
