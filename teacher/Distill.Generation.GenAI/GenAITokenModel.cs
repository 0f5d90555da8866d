using Distill.Data;
using Distill.Generation.Onnx;
using Microsoft.ML.OnnxRuntimeGenAI;
using NativeGenerator = Microsoft.ML.OnnxRuntimeGenAI.Generator; // not the engine's

namespace Distill.Generation.GenAI;

/// <summary>
/// A decoder run by ONNX Runtime GenAI, whose genai_config.json also chooses the device. Opening sessions is safe from any thread,
/// and sessions may run concurrently. Dispose it after its sessions.
/// </summary>
public sealed class GenAITokenModel : ITokenModel
{
    private readonly Model model;

    private GenAITokenModel(Model model, GenAIConfiguration configuration)
    {
        this.model = model;
        VocabularySize = configuration.VocabularySize;
        MaxLength = configuration.ContextLength;
        LogitsName = configuration.Names.Logits;
    }

    public int VocabularySize { get; }

    public int MaxLength { get; }

    /// <summary>Name of the output that holds the logits.</summary>
    internal string LogitsName { get; }

    /// <summary>Loads a folder with genai_config.json, after the same checks that the own backend makes.</summary>
    /// <exception cref="InvalidDataException">Names the folder and the reason.</exception>
    public static GenAITokenModel Load(string folder)
    {
        var opened = ModelFolder.Open(folder);
        if (opened.Configuration.SourceFile != ModelFolder.ConfigurationFile)
            throw new InvalidDataException($"{opened.Path}: ONNX Runtime GenAI needs {ModelFolder.ConfigurationFile}.");
        try
        {
            return new GenAITokenModel(new Model(opened.Path), opened.Configuration);
        }
        catch (OnnxRuntimeGenAIException e)
        {
            throw new InvalidDataException(Printable.Of($"{opened.Path}: ONNX Runtime GenAI cannot load it: {e.Message}"), e);
        }
    }

    public IDecodeSession Open(int slots, int maxLength)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(slots, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLength, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxLength, MaxLength);
        return new GenAIDecodeSession(this, slots, maxLength);
    }

    public void Dispose() => model.Dispose();

    /// <summary>A generator for one row. The caller disposes it.</summary>
    internal NativeGenerator CreateGenerator(int maxLength)
    {
        using var parameters = new GeneratorParams(model);
        parameters.SetSearchOption("max_length", maxLength);
        parameters.SetSearchOption("batch_size", 1);
        return new NativeGenerator(model, parameters);
    }
}
