using Distill.Generation.Onnx;
using Distill.Storage;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Distill.Generation.GenAI;

/// <summary>
/// What ONNX Runtime GenAI needs of a model folder beyond what the own backend needs, known without loading anything. GenAI obeys the
/// whole genai_config.json, so a folder that asks for more than a decoder, or that sets what writes or loads files, is refused.
/// </summary>
internal static class GenAIFolder
{
    private const int Depth = 16;

    private static readonly string[] RootKeys = ["model", "search", "engine"];

    private static readonly string[] ModelKeys =
    [
        "type", "decoder", "vocab_size", "context_length", "bos_token_id", "eos_token_id", "pad_token_id", "sep_token_id",
        "bor_token_id", "eor_token_id", "bot_token_id", "eot_token_id",
    ];

    private static readonly string[] DecoderKeys =
    [
        "filename", "head_size", "hidden_size", "num_attention_heads", "num_key_value_heads", "num_hidden_layers", "inputs", "outputs",
        "sliding_window", "session_options",
    ];

    // Others name files to write or to load, or are handed to ONNX Runtime as they are.
    private static readonly string[] SessionKeys =
    [
        "log_id", "log_severity_level", "provider_options", "intra_op_num_threads", "inter_op_num_threads", "enable_cpu_mem_arena",
        "enable_mem_pattern", "graph_optimization_level",
    ];

    /// <exception cref="InvalidDataException">Names the file, the key and the reason.</exception>
    public static void Require(ModelFolder folder)
    {
        if (folder.Configuration.SourceFile != ModelFolder.ConfigurationFile)
        {
            throw new InvalidDataException(Printable.Of(
                $"{folder.Path}: ONNX Runtime GenAI needs {ModelFolder.ConfigurationFile}, and this folder is described by "
                    + $"{folder.Configuration.SourceFile} only."));
        }

        _ = folder.MemoryOf(1, 2); // says when cache or logits are of a type that cannot be read
        RequireCache(folder);
        _ = JsonFile.Read(System.IO.Path.Combine(folder.Path, ModelFolder.ConfigurationFile), Depth, RequireKnown);
    }

    // GenAI runs graphs whose cache is not what their configuration says, and gives wrong tokens.
    private static void RequireCache(ModelFolder folder)
    {
        var (configuration, names) = (folder.Configuration, folder.Configuration.Names);
        for (int buffer = 0; buffer < 2 * configuration.Layers; buffer++)
        {
            var (past, present) = names.CacheNames(buffer);
            Require(folder, past, 1, configuration.KeyValueHeads, "key-value heads");
            Require(folder, past, 3, configuration.HeadSize, "head size");
            Require(folder, present, 1, configuration.KeyValueHeads, "key-value heads");
        }

        if (folder.Facts.FloatTypeOf(names.CacheNames(0).Past) == TensorElementType.BFloat16)
            throw Fault(folder, "keeps its cache in bfloat16, which ONNX Runtime GenAI does not compute with on the processor");
        Require(folder, names.Logits, 2, configuration.VocabularySize, "vocabulary");
        string beyond = GraphNames.Of(names.PastKey, configuration.Layers);
        if (folder.Facts.Dimensions.ContainsKey(beyond))
            throw Fault(folder, $"has '{beyond}', and {ModelFolder.ConfigurationFile} gives it {configuration.Layers} layers");
    }

    private static void Require(ModelFolder folder, string value, int axis, int size, string what)
    {
        if (!folder.Facts.Dimensions.TryGetValue(value, out var dimensions)) throw Fault(folder, $"has no '{value}'");
        if (dimensions.Count > axis && dimensions[axis] > 0 && dimensions[axis] != size)
            throw Fault(folder, $"has {what} {dimensions[axis]} in '{value}', and {ModelFolder.ConfigurationFile} says {size}");
    }

    private static InvalidDataException Fault(ModelFolder folder, string reason) => new(Printable.Of($"{folder.GraphPath} {reason}."));

    private static bool RequireKnown(JsonSection root)
    {
        RequireKnown(root, RootKeys);
        var model = root.Section("model");
        RequireKnown(model, ModelKeys);
        var decoder = model.Section("decoder");
        RequireKnown(decoder, DecoderKeys);
        RequireKnown(decoder.OptionalSection("session_options"), SessionKeys);
        return true;
    }

    private static void RequireKnown(JsonSection section, string[] known)
    {
        if (section.Keys.FirstOrDefault(key => !known.Contains(key)) is { } unknown)
        {
            throw section.Fault(unknown,
                "is nothing that Distill lets a model folder ask of ONNX Runtime GenAI: it may load or write files");
        }
    }
}
