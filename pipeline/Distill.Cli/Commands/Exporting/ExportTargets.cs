using System.CommandLine;
using Distill.Architecture;
using Distill.Cli.Output;
using Distill.Cli.Parsing;
using Distill.Export;
using Distill.Export.Package;
using Distill.Export.Quantization;
using Distill.Tokenization;

namespace Distill.Cli.Commands.Exporting;

/// <summary>One format that <c>distill export</c> writes: its options, and how a folder is filled.</summary>
internal interface IExportTarget
{
    /// <summary>As <c>--format</c> spells it.</summary>
    string Name { get; }

    /// <summary>Options that mean something for this format.</summary>
    IReadOnlyList<Option> Options { get; }

    /// <summary>Whether a place is to be one file, which the target replaces itself, and no folder.</summary>
    bool WritesFile(string place) => false;

    /// <summary>Folders that are read beside the source.</summary>
    IEnumerable<string> Reads(ParseResult parsed) => [];

    /// <summary>Whether a folder holds what <c>--force</c> may replace: files of this format, and nothing else.</summary>
    bool Replaces(string folder);

    /// <summary>The numbers of the weights, for people; refuses what does not go together before any work.</summary>
    /// <exception cref="UsageException">The options do not fit.</exception>
    string Numbers(ParseResult parsed);

    /// <summary>Fills a fresh folder and looks at it as a reader would.</summary>
    void Write(string folder, ExportSource source, PackageDescription description, ParseResult parsed, CancellationToken cancellation);

    /// <summary>What was measured on the way, for <c>--json</c>; null for nothing.</summary>
    object? Figures => null;

    /// <summary>What was measured on the way, for people; null for nothing.</summary>
    (IReadOnlyList<string> Header, IReadOnlyList<IReadOnlyList<string>> Rows)? Table => null;

    /// <summary>What to type next, and what was not looked at; lines for people.</summary>
    IEnumerable<(string Label, string Text)> Notes(string folder, ExportSource source, ParseResult parsed);
}

/// <summary>The folder for ONNX Runtime, ONNX Runtime GenAI, transformers.js and Foundry Local.</summary>
internal sealed class OnnxTarget(Option<string> precision) : IExportTarget
{
    private readonly AdapterFileArguments adapterFiles = new();

    private readonly GraphArguments graph = new();
    private readonly QuantizationArguments quantization = new();
    private ChosenQuantization? chosen;
    private IReadOnlyList<FormFigures> forms = [];

    public string Name => "onnx";

    public IReadOnlyList<Option> Options => [precision, adapterFiles.Option, .. graph.All, .. quantization.All];

    /// <inheritdoc/>
    public object? Figures => QuantizationArguments.Json(chosen, forms);

    /// <inheritdoc/>
    public (IReadOnlyList<string> Header, IReadOnlyList<IReadOnlyList<string>> Rows)? Table => QuantizationArguments.Table(forms);

    /// <inheritdoc/>
    public IEnumerable<string> Reads(ParseResult parsed) => adapterFiles.Folders(parsed);

    public bool Replaces(string folder) => ExportPlaces.HoldsOnnx(folder);

    public string Numbers(ParseResult parsed)
    {
        quantization.Require(parsed, PrecisionOf(parsed), [.. graph.All, adapterFiles.Option]);
        return PrecisionOf(parsed).Name();
    }

    public void Write(
        string folder, ExportSource source, PackageDescription description, ParseResult parsed, CancellationToken cancellation)
    {
        var format = PrecisionOf(parsed);
        using var adapters = adapterFiles.Open(parsed, source);
        adapters?.Write(folder, source.Architecture, format);
        var options = graph.Read(
            parsed, new ExportOptions { Precision = format, Adapted = adapters?.Adapted ?? ExportOptions.Default.Adapted });
        // The tokenizer that goes into the folder is that of the adapter where it brought one.
        source.Tokenizer.Write(folder);
        source.Companions.Write(folder, source.Architecture);
        chosen = quantization.Choose(parsed, options, source, ChatEncoder.Load(folder).With(source.Prompt));
        ModelPackage.Write(folder, chosen.Weights, source.Tokenizer, description, chosen.Options, source.Companions);
        cancellation.ThrowIfCancellationRequested();
        PackageCheck.Run(folder, format);
        forms = quantization.Compare(parsed, folder, chosen, source);
        if (forms.Count > 0)
            ModelPackage.Describe(folder, source.Architecture, description with { Forms = forms }, format);
    }

    public IEnumerable<(string Label, string Text)> Notes(string folder, ExportSource source, ParseResult parsed)
    {
        foreach (var note in QuantizationArguments.Notes(PrecisionOf(parsed), chosen!)) yield return note;
        if (!PrecisionOf(parsed).RunsOnProcessor())
            yield return ("check", $"files and types only: a CPU cannot run {PrecisionOf(parsed).Name()}");
        // There is nothing to compare a merged model with but itself.
        yield return ("next", source.HasAdapter
            ? ShellWord.Join(["distill", "chat", folder])
            : ShellWord.Join(["distill", "verify", folder, "--against", source.Folder]));
    }

    private ExportPrecision PrecisionOf(ParseResult parsed) => parsed.GetValue(precision) is not { } word ? ExportPrecision.Single
        : ExportPrecisions.Parse(word) ?? throw PrecisionOption.Refused(word, Name, ExportPrecisions.Names);
}

/// <summary>Hugging Face safetensors: a checkpoint for other trainers and engines.</summary>
internal sealed class HuggingFaceTarget : IExportTarget
{
    private static readonly Dictionary<string, SafeTensorType> s_types = new()
    {
        ["fp32"] = SafeTensorType.Float32, ["bf16"] = SafeTensorType.BFloat16, ["fp16"] = SafeTensorType.Float16,
    };

    private readonly Option<string> type =
        CommandOptions.Word("--dtype", "Number format of safetensors (--format hf).", s_types.Keys, "fp32");

    public string Name => "hf";

    public IReadOnlyList<Option> Options => [type];

    public bool Replaces(string folder) => ExportPlaces.HoldsSafetensors(folder);

    public string Numbers(ParseResult parsed) => parsed.GetRequiredValue(type);

    public void Write(
        string folder, ExportSource source, PackageDescription description, ParseResult parsed, CancellationToken cancellation)
    {
        HuggingFacePackage.Write(
            folder, source.Weights, source.Tokenizer, description, source.Companions, new(s_types[parsed.GetRequiredValue(type)]));
        cancellation.ThrowIfCancellationRequested();
        _ = Checkpoint.Open(folder);
    }

    public IEnumerable<(string Label, string Text)> Notes(string folder, ExportSource source, ParseResult parsed) =>
        [("next", ShellWord.Join(["distill", "export", folder, "--out", $"{folder}-onnx"]))];
}
