using System.Text;
using Distill.Architecture;
using Distill.Storage;

namespace Distill.Export.Package;

/// <summary>
/// Writes a model as Hugging Face safetensors: weights, config.json, generation_config.json, tokenizer files, README.md and what else of
/// the source goes along. It opens again as a checkpoint. The same inputs give the same bytes. Not atomic: whoever writes one takes a fresh
/// folder and commits it.
/// </summary>
internal static class HuggingFacePackage
{
    /// <param name="weights">Each is asked for when it is written.</param>
    /// <exception cref="InvalidDataException">The tokenizer does not fit, or a weight is too large for the stored type.</exception>
    /// <exception cref="IOException">The disk has no room for it, or fails.</exception>
    public static void Write(
        string folder, WeightSet weights, TokenizerFiles tokenizer, PackageDescription description, CompanionFiles companions,
        CheckpointStorage storage)
    {
        long bytes = weights.Architecture.ParameterCount * (storage.Type == SafeTensorType.Float32 ? 4 : 2);
        DiskSpace.Require(folder, bytes + tokenizer.TokenizerJson.Length);
        var architecture = weights.Architecture with { EndTokenIds = ModelPackage.EndTokensOf(weights.Architecture, tokenizer) };
        Checkpoint.Save(folder, weights, architecture, tokenizer, companions, storage);
        string numbers = storage.Type switch
        {
            SafeTensorType.Float32 => "fp32",
            SafeTensorType.BFloat16 => "bf16",
            _ => "fp16",
        };
        var facts = new CardFacts(architecture, null, numbers, architecture.EndTokenIds, companions.Generation)
        {
            Prompt = CardPrompt.Of(folder, description.Prompt),
        };
        DurableFile.Write(Path.Combine(folder, ModelCard.Name), Encoding.UTF8.GetBytes(ModelCard.Write(facts, description)));
    }
}
