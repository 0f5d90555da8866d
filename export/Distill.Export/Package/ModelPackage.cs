using System.Text;
using Distill.Architecture;
using Distill.Tokenization;

namespace Distill.Export.Package;

/// <summary>
/// Writes a model folder that ONNX Runtime GenAI, transformers.js, plain ONNX Runtime and our own engine open: genai_config.json,
/// config.json, generation_config.json, tokenizer files, onnx/model.onnx with its data, README.md, distill.json. The same inputs give
/// the same bytes. Not atomic: stages write to a fresh folder and commit it.
/// </summary>
public static class ModelPackage
{
    internal const string GraphFolder = "onnx";

    /// <exception cref="InvalidDataException">The tokenizer does not fit, or the architecture cannot be exported.</exception>
    public static void Write(
        string folder, WeightSet weights, TokenizerFiles tokenizer, PackageDescription description,
        ExportPrecision precision = ExportPrecision.Single)
    {
        var architecture = weights.Architecture;
        tokenizer.RequireFits(TokenizerFiles.TokenizerName, architecture.VocabularySize);
        var graph = new DecoderGraph(architecture, precision);
        string graphName = precision.GraphFile();
        Directory.CreateDirectory(Path.Combine(folder, GraphFolder));
        var dataFiles = graph.Write(Path.Combine(folder, GraphFolder, graphName), weights);
        tokenizer.Write(folder);
        void Put(string name, byte[] content) => DurableFile.Write(Path.Combine(folder, name), content);
        Put(DecoderConfigJson.FileName, TransformersConfigurationFile.Write(architecture, graphName, dataFiles.Count, precision));
        Put(Checkpoint.GenerationConfigName, DecoderConfigJson.WriteGeneration(architecture));
        Put(GenAIConfigurationFile.Name, GenAIConfigurationFile.Write(architecture, tokenizer, $"{GraphFolder}/{graphName}"));
        Describe(folder, architecture, description, precision);
    }

    /// <summary>Writes README.md and distill.json again, for example once parity and results are known.</summary>
    /// <exception cref="InvalidDataException">The folder has no template for the prompt that is described.</exception>
    /// <exception cref="Distill.Templates.TemplateException">Its template refuses that prompt.</exception>
    public static void Describe(
        string folder, DecoderArchitecture architecture, PackageDescription description,
        ExportPrecision precision = ExportPrecision.Single)
    {
        string? prompt = description.IsPlain ? null : Prompt(folder, description.Prompt);
        string card = ModelCard.Write(architecture, precision, description, prompt);
        byte[] provenance = PackageProvenance.Write(architecture, precision, description, PackageIntegrity.Describe(folder));
        DurableFile.Write(Path.Combine(folder, ModelCard.Name), Encoding.UTF8.GetBytes(card));
        DurableFile.Write(Path.Combine(folder, PackageProvenance.FileName), provenance);
    }

    // One question as the model reads it: the tokens' own text, so that nothing is shown which it does not get.
    private static string Prompt(string folder, PromptStyle style)
    {
        var encoder = ChatEncoder.Load(folder).With(style);
        return encoder.Tokenizer.Decode(encoder.EncodePrompt([ChatMessage.User("What is 3 + 4?")]));
    }
}
