using System.Text;
using Distill.Architecture;
using Distill.Export.Adapters;
using Distill.Generation.Onnx;
using Distill.Storage;
using Distill.Tokenization;

namespace Distill.Export.Package;

/// <summary>
/// Writes a model folder that ONNX Runtime GenAI, transformers.js, plain ONNX Runtime and our own engine open: genai_config.json,
/// config.json, generation_config.json, tokenizer files, onnx/model.onnx with its data, README.md, distill.json, and for Foundry Local
/// inference_model.json. The same inputs give the same bytes. Not atomic: whoever writes one takes a fresh folder and commits it.
/// </summary>
public static class ModelPackage
{
    internal const string GraphFolder = "onnx";

    /// <param name="weights">Each is asked for when it is written.</param>
    /// <exception cref="InvalidDataException">The tokenizer does not fit, or the architecture cannot be exported.</exception>
    /// <exception cref="IOException">The disk has no room for it, or fails.</exception>
    public static void Write(
        string folder, WeightSet weights, TokenizerFiles tokenizer, PackageDescription description, ExportOptions? options = null) =>
        Write(folder, weights, tokenizer, description, options ?? ExportOptions.Default, CompanionFiles.None);

    /// <param name="companions">What else of the source goes along.</param>
    /// <inheritdoc cref="Write(string, WeightSet, TokenizerFiles, PackageDescription, ExportOptions?)"/>
    internal static void Write(
        string folder, WeightSet weights, TokenizerFiles tokenizer, PackageDescription description, ExportOptions options,
        CompanionFiles companions)
    {
        tokenizer.RequireFits(TokenizerFiles.TokenizerName, weights.Architecture.VocabularySize);
        var graph = new DecoderGraph(weights.Architecture, options);
        var precision = options.Precision;
        string graphName = precision.GraphFile();
        Directory.CreateDirectory(Path.Combine(folder, GraphFolder));
        var dynamic = options.DynamicInt8 ? DecoderGraph.DynamicInt8(weights.Architecture, options) : null;
        DiskSpace.Require(folder, graph.ByteCount + (dynamic?.ByteCount ?? 0) + tokenizer.TokenizerJson.Length);
        var dataFiles = graph.Write(Path.Combine(folder, GraphFolder, graphName), weights);
        int? dynamicDataFiles = dynamic?.Write(Path.Combine(folder, GraphFolder, ExportPrecisions.DynamicInt8File), weights).Count;
        tokenizer.Write(folder);
        var architecture = weights.Architecture with { EndTokenIds = EndTokensOf(weights.Architecture, tokenizer) };
        companions.Write(folder, architecture);
        void Put(string name, byte[] content) => DurableFile.Write(Path.Combine(folder, name), content);
        Put(DecoderConfigJson.FileName,
            TransformersConfigurationFile.Write(architecture, graphName, dataFiles.Count, precision, dynamicDataFiles));
        Put(GenAIConfigurationFile.Name, GenAIConfigurationFile.Write(
            architecture, tokenizer, $"{GraphFolder}/{graphName}", companions.Generation, sharesCache: !options.Portable));
        if (FoundryFile.Write(folder, description) is { } foundry) Put(FoundryFile.Name, foundry);
        Describe(folder, architecture, description, precision);
    }

    /// <summary>
    /// Every token that ends a reply: the one that training puts there, as the tokenizer says, and those that the configuration names. A
    /// runtime that knew only some of them would talk on.
    /// </summary>
    internal static TokenIdList EndTokensOf(DecoderArchitecture architecture, TokenizerFiles tokenizer) =>
        new([.. tokenizer.EndToken is { } own && own < architecture.VocabularySize ? (int[])[own] : [], .. architecture.EndTokenIds]);

    /// <summary>Writes README.md and distill.json again, for example once parity and results are known.</summary>
    /// <exception cref="InvalidDataException">The folder has no template for the prompt that is described.</exception>
    /// <exception cref="Distill.Templates.TemplateException">Its template refuses that prompt.</exception>
    public static void Describe(
        string folder, DecoderArchitecture architecture, PackageDescription description,
        ExportPrecision precision = ExportPrecision.Single)
    {
        var opened = ModelFolder.Open(folder);
        string graph = Path.GetRelativePath(folder, opened.GraphPath).Replace(Path.DirectorySeparatorChar, '/');
        var facts = new CardFacts(
            architecture, precision, precision.Name(), opened.Configuration.EosTokenIds, GenerationDefaults.Read(folder))
        {
            Graph = GraphSignature.Read(folder, graph), ReadsMask = !opened.Facts.SharesCache,
            HasAdapters = Directory.Exists(Path.Combine(folder, AdapterExport.Folder)), Prompt = CardPrompt.Of(folder, description.Prompt),
        };
        string card = ModelCard.Write(facts, description);
        byte[] provenance = PackageProvenance.Write(
            architecture, precision, description, PackageIntegrity.Describe(folder), ChatEncoder.Load(folder));
        DurableFile.Write(Path.Combine(folder, ModelCard.Name), Encoding.UTF8.GetBytes(card));
        DurableFile.Write(Path.Combine(folder, PackageProvenance.FileName), provenance);
        WriteResults(folder, description.Published);
    }

    private static void WriteResults(string folder, IReadOnlyList<PublishedResult> results)
    {
        foreach (var result in results.Where(result => result.FileName is not null))
        {
            string place = Path.Combine(folder, PublishedResult.Folder);
            Directory.CreateDirectory(place);
            DurableFile.Write(Path.Combine(place, result.FileName!), Encoding.UTF8.GetBytes(result.ToYaml()));
        }
    }
}
