using System.Numerics.Tensors;
using Distill.Storage;
using Microsoft.ML.OnnxRuntimeGenAI;
using Tensor = Microsoft.ML.OnnxRuntimeGenAI.Tensor; // System.Numerics.Tensors has one of its own

namespace Distill.Generation.GenAI;

/// <summary>
/// One row: its tokens, and a generator that holds some of the first of them. What the generator lacks it reads with the next token, so
/// that cutting, copying and clearing cost nothing by themselves. Not thread-safe; its session disposes it.
/// </summary>
internal sealed class GenAISlot(GenAITokenModel model, int maxLength, GenAICancellation cancellation) : IDisposable
{
    // Tokens of one run: bounds the logits of a prompt.
    private const int LongestPart = 256;

    private readonly int[] tokens = new int[maxLength];
    private Generator? generator;
    private int held;  // tokens in the generator
    private int valid; // of these, the first that are this row's

    /// <summary>Tokens of the row.</summary>
    public int Length { get; private set; }

    /// <summary>Forgets all but the first tokens.</summary>
    public void Truncate(int length)
    {
        Length = length;
        valid = Math.Min(valid, length);
    }

    /// <summary>Runs the model over more tokens, and first over those that the generator lacks.</summary>
    /// <param name="logits">[vocab] for the last position, or [tokens, vocab] for all.</param>
    /// <exception cref="InvalidDataException">The model was loaded but cannot be run.</exception>
    /// <exception cref="NotSupportedException">Logits of every position are asked for and the graph gives the last only.</exception>
    /// <exception cref="OperationCanceledException">The session was cancelled; what the slot holds is then undefined.</exception>
    public void Append(ReadOnlySpan<int> added, Span<float> logits)
    {
        int wanted = Length + added.Length - (logits.Length / model.VocabularySize); // the first position whose logits are asked for
        try
        {
            Rewind();
            added.CopyTo(tokens.AsSpan(Length));
            Length += added.Length;
            while (held < Length)
            {
                int start = held, end = Math.Min(start + LongestPart, Length);
                generator!.AppendTokens(tokens.AsSpan(start, end - start));
                held = valid = end;
                if (end > wanted) Read(start, end, wanted, logits);
            }
        }
        catch (OnnxRuntimeGenAIException e)
        {
            cancellation.ThrowIfCancelled();
            throw new InvalidDataException(Printable.Of($"{model.Source}: ONNX Runtime GenAI cannot run it: {e.Message}"), e);
        }
    }

    /// <summary>
    /// Takes over another row's first tokens together with its generator, and leaves it the own one: whichever row goes on elsewhere reads
    /// again. Usually the other is cleared next, and nothing is read twice.
    /// </summary>
    public void TakeFrom(GenAISlot other, int length)
    {
        int common = tokens.AsSpan(0, valid).CommonPrefixLength(other.tokens.AsSpan(0, other.Length));
        other.tokens.AsSpan(0, length).CopyTo(tokens);
        Length = length;
        (generator, other.generator) = (other.generator, generator);
        (held, other.held) = (other.held, held);
        valid = Math.Min(other.valid, length);
        other.valid = common;
    }

    public void Dispose() => Release();

    // Leaves nothing in the generator but tokens of this row, and makes one where there is none.
    private void Rewind()
    {
        if (generator is not null && held > valid)
        {
            if (model.CanRewind) generator.RewindTo((ulong)valid);
            else Release();
        }

        if (generator is null)
        {
            generator = model.CreateGenerator(maxLength);
            cancellation.Watch(generator);
            valid = 0;
        }

        held = valid;
    }

    /// <summary>Copies the logits of positions [max(start, wanted), end) of a run over [start, end).</summary>
    private void Read(int start, int end, int wanted, Span<float> logits)
    {
        using Tensor output = generator!.GetOutput(model.LogitsName);
        int vocabulary = model.VocabularySize, first = Math.Max(start, wanted), rows = end - first;
        long[] shape = output.Shape(); // [1, positions, vocab], positions of this run only
        if (shape.Length != 3 || shape[0] != 1 || shape[2] != vocabulary)
            throw new InvalidDataException(
                $"{model.Source}: the logits have the shape [{string.Join(", ", shape)}]; expected [1, positions, {vocabulary}].");
        if (shape[1] < rows) throw new NotSupportedException("This graph gives the logits of the last position only.");
        int offset = checked((int)(shape[1] - rows) * vocabulary), count = rows * vocabulary;
        var target = logits.Slice((first - wanted) * vocabulary, count);
        switch (output.Type())
        {
            case ElementType.float32: output.GetData<float>().Slice(offset, count).CopyTo(target); break;
            case ElementType.float16: TensorPrimitives.ConvertToSingle(output.GetData<Half>().Slice(offset, count), target); break;
            default: throw new InvalidDataException($"{model.Source}: the logits are {output.Type()}; expected float32 or float16.");
        }
    }

    private void Release()
    {
        if (generator is null) return;
        cancellation.Forget(generator);
        generator.Dispose();
        generator = null;
    }
}
