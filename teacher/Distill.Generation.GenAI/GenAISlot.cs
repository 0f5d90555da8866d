using Microsoft.ML.OnnxRuntimeGenAI;
using NativeGenerator = Microsoft.ML.OnnxRuntimeGenAI.Generator; // not the engine's
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives; // its namespace has a Tensor of its own

namespace Distill.Generation.GenAI;

/// <summary>One row: a generator, made when it is first needed, and the tokens that it holds. Not thread-safe; its session disposes it.</summary>
internal sealed class GenAISlot(GenAITokenModel model, int maxLength) : IDisposable
{
    /// <summary>Tokens of one run: bounds the logits of a prompt, and how long a cancellation waits.</summary>
    public const int LongestPart = 256;

    private readonly int[] tokens = new int[maxLength];
    private NativeGenerator? generator;

    public int Length { get; private set; }

    public ReadOnlySpan<int> Tokens => tokens.AsSpan(0, Length);

    /// <summary>Runs the model over at most <see cref="LongestPart"/> more tokens.</summary>
    /// <param name="logits">[vocab] for the last position, [tokens, vocab] for all, or empty.</param>
    /// <exception cref="InvalidDataException">The model was loaded but cannot be run.</exception>
    /// <exception cref="NotSupportedException">Logits of every position are asked for and the graph gives the last only.</exception>
    public void Append(ReadOnlySpan<int> part, Span<float> logits)
    {
        try
        {
            generator ??= model.CreateGenerator(maxLength);
            generator.AppendTokens(part);
            part.CopyTo(tokens.AsSpan(Length));
            Length += part.Length;
            if (logits.IsEmpty) return;
            using Tensor output = generator.GetOutput(model.LogitsName);
            Read(output, logits);
        }
        catch (OnnxRuntimeGenAIException e)
        {
            throw new InvalidDataException($"ONNX Runtime GenAI cannot run the model: {e.Message}", e);
        }
    }

    public void Truncate(int length)
    {
        if (length == Length) return;
        if (length == 0) Release(); // a new generator also forgets what a sliding window let go of
        else generator!.RewindTo((ulong)length);
        Length = length;
    }

    public void Dispose() => Release();

    private void Read(Tensor output, Span<float> logits)
    {
        long[] shape = output.Shape(); // [1, positions, vocab], positions of the last run only
        if (shape.Length != 3 || shape[0] != 1 || shape[2] != model.VocabularySize)
            throw new InvalidDataException($"The logits have the shape [{string.Join(", ", shape)}]; expected [1, positions, {model.VocabularySize}].");
        int values = checked((int)(shape[1] * shape[2]));
        if (logits.Length > values) throw new NotSupportedException("This graph gives the logits of the last position only.");
        switch (output.Type())
        {
            case ElementType.float32: output.GetData<float>().Slice(values - logits.Length, logits.Length).CopyTo(logits); break;
            case ElementType.float16: TensorPrimitives.ConvertToSingle(output.GetData<Half>().Slice(values - logits.Length, logits.Length), logits); break;
            default: throw new InvalidDataException($"The logits are {output.Type()}; expected float32 or float16.");
        }
    }

    private void Release()
    {
        generator?.Dispose();
        generator = null;
    }
}
