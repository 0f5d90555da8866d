using System.Security.Cryptography;
using System.Text;
using Distill.Architecture;

namespace Distill.Export.Package;

/// <summary>
/// Writes a model folder that ONNX Runtime GenAI, transformers.js, plain ONNX Runtime and our own engine open: genai_config.json,
/// config.json, generation_config.json, tokenizer files, onnx/model.onnx with its data, README.md, distill.json. The same inputs give
/// the same bytes. Not atomic: stages write to a fresh folder and commit it.
/// </summary>
public static class ModelPackage
{
    public const string GraphFolder = "onnx";

    /// <exception cref="InvalidDataException">The tokenizer does not fit, or the architecture cannot be exported.</exception>
    public static void Write(
        string folder, WeightSet weights, TokenizerFiles tokenizer, PackageDescription description, ExportPrecision precision = ExportPrecision.Single)
    {
        var architecture = weights.Architecture;
        tokenizer.RequireFits(TokenizerFiles.TokenizerName, architecture.VocabularySize);
        var graph = new DecoderGraph(architecture, precision);
        string graphName = precision.GraphFile();
        Directory.CreateDirectory(Path.Combine(folder, GraphFolder));
        var dataFiles = graph.Write(Path.Combine(folder, GraphFolder, graphName), weights);
        tokenizer.Write(folder);
        DurableFile.Write(Path.Combine(folder, DecoderConfigJson.FileName), TransformersConfigurationFile.Write(architecture, graphName, dataFiles.Count));
        DurableFile.Write(Path.Combine(folder, Checkpoint.GenerationConfigName), DecoderConfigJson.WriteGeneration(architecture));
        DurableFile.Write(Path.Combine(folder, GenAIConfigurationFile.Name), GenAIConfigurationFile.Write(architecture, tokenizer, $"{GraphFolder}/{graphName}"));
        Describe(folder, architecture, description, precision);
    }

    /// <summary>Writes README.md and distill.json again, for example once parity and results are known.</summary>
    public static void Describe(string folder, DecoderArchitecture architecture, PackageDescription description, ExportPrecision precision = ExportPrecision.Single)
    {
        DurableFile.Write(Path.Combine(folder, ModelCard.Name), Encoding.UTF8.GetBytes(ModelCard.Write(architecture, precision, description)));
        DurableFile.Write(Path.Combine(folder, ProvenanceFile.Name), ProvenanceFile.Write(architecture, precision, description, Digests(folder)));
    }

    // Every file but the two that are rewritten, by relative name.
    private static List<(string File, string Digest)> Digests(string folder) =>
    [
        .. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(folder, path).Replace(Path.DirectorySeparatorChar, '/'))
            .Where(name => name is not (ModelCard.Name or ProvenanceFile.Name))
            .Order(StringComparer.Ordinal)
            .Select(name => (name, Digest(Path.Combine(folder, name)))),
    ];

    private static string Digest(string path)
    {
        using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
