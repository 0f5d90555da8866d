using System.Numerics.Tensors;
using Distill.Architecture;
using Distill.Student.Model;

namespace Distill.Student.Fused;

/// <summary>
/// One replica's hand in the gradient that all replicas share: matrices are added in turns, in an order that does not depend on the
/// threads' speed; norms and biases, which are small, are gathered by each replica for itself and added at the end. One thread. The owner
/// disposes it, before the shared gradient.
/// </summary>
internal sealed unsafe class GradientShare : IDisposable
{
    private readonly FlatParameters parameters;
    private readonly FlatGradient shared;
    private readonly GradientTurns turns;
    private readonly Dictionary<long, (int Place, int Count)> small = []; // by offset
    private readonly NativeBuffer own;
    private readonly long embedding, output;
    private MicroBatchTurn turn;

    public GradientShare(FlatParameters parameters, FlatGradient shared, GradientTurns turns)
    {
        (this.parameters, this.shared, this.turns) = (parameters, shared, turns);
        int place = 0;
        foreach (var (_, offset, spec) in parameters.Places.Where(parameter => !FlatParameters.Decays(parameter.Spec)))
        {
            small.Add(offset, (place, (int)spec.Count));
            place += (int)spec.Count;
        }

        own = new NativeBuffer(Math.Max(1, place));
        embedding = parameters.OffsetOf(ParameterMap.Embedding);
        output = parameters.OffsetOf(parameters.Architecture.TieEmbeddings ? ParameterMap.Embedding : ParameterMap.OutputProjection);
    }

    /// <summary>Begins a pass.</summary>
    public void Clear() => new Span<float>(own.Pointer, (int)own.Length).Clear();

    /// <summary>Begins a micro-batch. Everything of it but norms and biases must be added exactly once.</summary>
    public void Begin(MicroBatchTurn current) => turn = current;

    /// <summary>This replica's gradient of a norm or of biases that lie side by side, to be added to.</summary>
    public Span<float> Slice(long offset, int length) => own.Slice(small[offset].Place, length);

    /// <summary>The same; null where there is no such parameter.</summary>
    public float* PointerAt(long offset) => offset < 0 ? null : own.Pointer + small[offset].Place;

    /// <summary>Adds a layer's matrix (fp32 or bf16).</summary>
    public void Add(long offset, Tensor product) => turns.Take(offset, turn.Before + turn.Index, () => shared.Add(offset, product));

    /// <summary>Adds biases, fp32.</summary>
    public void AddBias(long offset, Tensor product)
    {
        var sum = Slice(offset, (int)product.shape[0]);
        TensorPrimitives.Add(sum, new ReadOnlySpan<float>(NativeRows.PointerOf(product), sum.Length), sum);
    }

    /// <summary>Adds the output projection's part, which comes before any of <see cref="AddEmbedding"/> in a round.</summary>
    public void AddOutput(Tensor product) =>
        turns.Take(output, Tied ? 2 * turn.Before + turn.Index : turn.Before + turn.Index, () => shared.Add(output, product));

    /// <summary>Adds the embedding's part.</summary>
    /// <param name="rows">[tokens, hidden]</param>
    public void AddEmbedding(int[] tokens, float* rows)
    {
        int hidden = parameters.Architecture.HiddenSize;
        turns.Take(embedding, Tied ? 2 * turn.Before + turn.Count + turn.Index : turn.Before + turn.Index, () =>
        {
            for (int token = 0; token < tokens.Length; token++)
            {
                var target = Shared(embedding + (long)tokens[token] * hidden, hidden);
                TensorPrimitives.Add(target, new ReadOnlySpan<float>(rows + (long)token * hidden, hidden), target);
            }
        });
    }

    /// <summary>Ends a pass, on the caller's thread, replica by replica.</summary>
    public void AddOwn()
    {
        foreach (var (offset, (place, count)) in small)
        {
            var sum = Shared(offset, count);
            TensorPrimitives.Add(sum, own.Slice(place, count), sum);
        }
    }

    public void Dispose() => own.Dispose();

    private bool Tied => embedding == output;

    private Span<float> Shared(long offset, int count) => new(HostValues.PointerOf(shared.Values) + offset, count);
}
