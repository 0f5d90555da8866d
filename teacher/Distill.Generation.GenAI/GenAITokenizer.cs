using Distill.Storage;
using Microsoft.ML.OnnxRuntimeGenAI;

namespace Distill.Generation.GenAI;

/// <summary>
/// The tokenizer that ONNX Runtime GenAI itself makes of a model folder. One thread at a time; dispose it before the model.
/// </summary>
internal sealed class GenAITokenizer : IDisposable
{
    private readonly Tokenizer tokenizer;
    private readonly string source;

    internal GenAITokenizer(Model model, string source)
    {
        this.source = source;
        try
        {
            tokenizer = new Tokenizer(model);
        }
        catch (OnnxRuntimeGenAIException e)
        {
            throw Fault(e);
        }
    }

    /// <summary>Ids of a text; control tokens in it are read as such.</summary>
    /// <exception cref="InvalidDataException">The tokenizer refuses the text.</exception>
    public IReadOnlyList<int> Encode(string text)
    {
        try
        {
            using var sequences = tokenizer.Encode(text);
            return sequences[0].ToArray();
        }
        catch (OnnxRuntimeGenAIException e)
        {
            throw Fault(e);
        }
    }

    public void Dispose() => tokenizer.Dispose();

    private InvalidDataException Fault(OnnxRuntimeGenAIException e) =>
        new(Printable.Of($"{source}: ONNX Runtime GenAI's tokenizer cannot read it: {e.Message}"), e);
}
