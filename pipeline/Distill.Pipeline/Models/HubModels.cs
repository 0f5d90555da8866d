using Distill.Architecture;
using Distill.Export.Package;
using Distill.Generation.Onnx;
using Distill.Hub;

namespace Distill.Pipeline.Models;

/// <summary>What of a repository is needed where a model folder is expected.</summary>
internal enum PulledModel
{
    /// <summary>An ONNX model or a checkpoint, whichever the repository is.</summary>
    Any,

    /// <summary>An ONNX model, of several graphs the usual one.</summary>
    Onnx,

    /// <summary><c>config.json</c>, safetensors and the tokenizer.</summary>
    Checkpoint,

    /// <summary>An adapter as peft saves it: its configuration and weights, and a tokenizer where it has one.</summary>
    Adapter,

    /// <summary>The tokenizer and its template.</summary>
    Tokenizer,

    /// <summary>Of a data set, the files that may hold traces.</summary>
    Traces,
}

/// <summary>Turns <c>hf://</c> into a folder.</summary>
internal interface IModelSource
{
    /// <exception cref="HubException">It cannot be had; says what to do.</exception>
    HubSnapshot Pull(HubReference reference, PulledModel kind);
}

/// <summary>
/// Models of the Hub: of a repository, which mostly holds a model in many forms, the files that are used here and no others.
/// </summary>
internal sealed class HubModels(HubClient client, IProgress<HubProgress>? progress, CancellationToken cancellation) : IModelSource
{
    // Beside the weights: configurations, tokenizers in all their forms, templates, licences and cards. Everything else is weights.
    private static readonly string[] Texts = ["*.json", "*.yaml", "*.jinja", "*.txt", "*.model", "*.md", "LICENSE*", "NOTICE*"];

    private static readonly string[] Weights = ["model.safetensors", "model.safetensors.index.json"];

    private static readonly string[] Folders = ["*/*"];

    private static readonly string[] Tables = ["*.parquet", "*.jsonl", "*.jsonl.gz", "*.jsonl.zst", "*.ndjson"];

    private const string GitAttributes = ".gitattributes"; // the Hub adds it

    public HubSnapshot Pull(HubReference reference, PulledModel kind) => PullAsync(reference, kind).GetAwaiter().GetResult();

    private async Task<HubSnapshot> PullAsync(HubReference reference, PulledModel kind)
    {
        if (kind == PulledModel.Traces)
            return await client.PullAsync(reference, new HubSelection { Include = Tables }, progress, cancellation).ConfigureAwait(false);
        var (pinned, files) = await client.NamesAsync(reference, null, cancellation).ConfigureAwait(false);
        string[] names = [.. files.Select(file => reference.Path.Length == 0 ? file : file[(reference.Path.Length + 1)..])];
        bool isOnnx = names.Contains(ModelFolder.ConfigurationFile) || !names.Any(Weights.Contains);
        bool isExport = names.Contains(PackageProvenance.FileName); // it names every file, and is checked by them
        string[] wanted = kind switch
        {
            PulledModel.Any or PulledModel.Onnx when isExport => [.. names.Where(name => name != GitAttributes)],
            PulledModel.Tokenizer => Texts,
            PulledModel.Adapter => [.. Texts, PeftAdapter.WeightsName],
            PulledModel.Checkpoint => CheckpointOf(names),
            PulledModel.Any when !isOnnx => CheckpointOf(names),
            PulledModel.Any or PulledModel.Onnx => await OnnxOfAsync(pinned, names).ConfigureAwait(false),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Unknown kind."),
        };
        return await client.PullAsync(pinned, Selection(names, wanted), progress, cancellation).ConfigureAwait(false);
    }

    // Some repositories hold the same weights twice, once in the layout of those who trained them.
    private static string[] CheckpointOf(string[] names) =>
        [.. Texts, .. names.Where(name => name.EndsWith(".safetensors", StringComparison.Ordinal)
            && !name.Contains('/', StringComparison.Ordinal) && !name.StartsWith("consolidated", StringComparison.Ordinal))];

    private async Task<string[]> OnnxOfAsync(HubReference pinned, string[] names)
    {
        string graph;
        if (names.Contains(ModelFolder.ConfigurationFile))
        {
            var texts = await client.PullAsync(pinned, Selection(names, Texts), progress, cancellation).ConfigureAwait(false);
            graph = GenAIConfiguration.Load(Path.Combine(texts.LocalPath, ModelFolder.ConfigurationFile)).GraphFile;
        }
        else if (names.Contains(DecoderConfigJson.FileName)) graph = GraphFiles.Choose($"{pinned}", GraphFiles.Among(names));
        else
        {
            throw new HubException(HubFault.NoFile, $"{pinned} is no model that can be used here: it has neither "
                + $"{ModelFolder.ConfigurationFile} nor {DecoderConfigJson.FileName}. Name the folder within that has one, if any.");
        }

        // Weights lie beside the graph under its name: model.onnx_data, model.onnx.data, model.onnx_data_1.
        return [.. Texts, .. names.Where(name => name.StartsWith(graph, StringComparison.Ordinal))];
    }

    /// <summary>What is named in full, and the texts at the top.</summary>
    private static HubSelection Selection(string[] names, string[] wanted)
    {
        var texts = new HubSelection { Include = Texts, Exclude = Folders };
        return new HubSelection { Include = [.. names.Where(name => texts.Wants(name) || wanted.Contains(name)).Select(Literal)] };
    }

    // A name that holds a bracket, a star or a question mark means itself.
    private static string Literal(string name) =>
        string.Concat(name.Select(c => c is '[' or '*' or '?' ? $"[{c}]" : c.ToString()));
}

/// <summary>
/// Only what the cache has, without a word over the network: for whoever reads a recipe without meaning to run it.
/// </summary>
internal sealed class CachedModels : IModelSource
{
    public HubSnapshot Pull(HubReference reference, PulledModel kind)
    {
        using var client = new HubClient(HubOptions.FromEnvironment() with { IsOffline = true, Token = null });
        return new HubModels(client, null, CancellationToken.None).Pull(reference, kind);
    }
}
