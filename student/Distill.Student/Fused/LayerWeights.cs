using Distill.Architecture;
using Distill.Student.Model;
using static TorchSharp.torch;

namespace Distill.Student.Fused;

/// <summary>
/// One layer's products, and where its norms lie in the flat layout. Neighbouring projections are one matrix: query‖key‖value and
/// gate‖up. The owner disposes it.
/// </summary>
internal sealed class LayerWeights : IDisposable
{
    public LayerWeights(FlatParameters parameters, Tensor matmulValues, int layer)
    {
        var a = parameters.Architecture;
        long packed = (a.Heads + 2L * a.KeyValueHeads) * a.HeadSize, queries = (long)a.Heads * a.HeadSize;
        string Name(string part) => ParameterMap.Layer(layer, part);
        long At(string part) => parameters.OffsetOf(Name(part));
        Projection Product(string part, bool bias, long rows, long columns) =>
            new(parameters, matmulValues, Name(part + ".weight"), bias ? Name(part + ".bias") : null, rows, columns);
        (InputNormOffset, AttentionNormOffset) = (At("input_layernorm.weight"), At("post_attention_layernorm.weight"));
        (QueryNormOffset, KeyNormOffset) = a.QueryKeyNorm ? (At("self_attn.q_norm.weight"), At("self_attn.k_norm.weight")) : (-1, -1);
        Packed = Product("self_attn.q_proj", a.AttentionBias, packed, a.HiddenSize);
        Output = Product("self_attn.o_proj", a.AttentionOutputBias, a.HiddenSize, queries);
        GateUp = Product("mlp.gate_proj", a.FeedForwardBias, 2L * a.IntermediateSize, a.HiddenSize);
        Down = Product("mlp.down_proj", a.FeedForwardBias, a.HiddenSize, a.IntermediateSize);
    }

    /// <summary>[packed heads · size, hidden]</summary>
    public Projection Packed { get; }

    /// <summary>[hidden, heads · size]</summary>
    public Projection Output { get; }

    /// <summary>[2 · intermediate, hidden]</summary>
    public Projection GateUp { get; }

    /// <summary>[hidden, intermediate]</summary>
    public Projection Down { get; }

    public long InputNormOffset { get; }

    public long AttentionNormOffset { get; }

    /// <summary>−1 without QK-norm.</summary>
    public long QueryNormOffset { get; }

    /// <summary>−1 without QK-norm.</summary>
    public long KeyNormOffset { get; }

    public void Dispose()
    {
        Packed.Dispose();
        Output.Dispose();
        GateUp.Dispose();
        Down.Dispose();
    }
}

/// <summary>
/// One matrix product of a layer with its bias, if there is one: views in matmul precision of neighbours in the flat layout, and where
/// their gradients go. Views share the memory of the vectors they were cut from. The owner disposes it.
/// </summary>
internal sealed class Projection : IDisposable
{
    private readonly Tensor matrix; // [out, in]
    private readonly Tensor? bias;  // [out]
    private readonly long offset, biasOffset;

    /// <param name="weight">The parameter that the matrix begins with.</param>
    /// <param name="biasName">The parameter that the bias begins with; null for none.</param>
    public Projection(FlatParameters parameters, Tensor matmulValues, string weight, string? biasName, long rows, long columns)
    {
        offset = parameters.OffsetOf(weight);
        matrix = matmulValues.narrow(0, offset, rows * columns).view(rows, columns).DetachFromDisposeScope();
        if (biasName is null) return;
        biasOffset = parameters.OffsetOf(biasName);
        bias = matmulValues.narrow(0, biasOffset, rows).DetachFromDisposeScope();
    }

    /// <param name="input">[tokens, in]</param>
    /// <returns>[tokens, out]</returns>
    public Tensor Forward(Tensor input) => bias is null ? input.mm(matrix.t()) : addmm(bias, input, matrix.t(), beta: 1, alpha: 1);

    /// <summary>Adds the gradients of matrix and bias.</summary>
    /// <param name="input">As given to <see cref="Forward"/>.</param>
    /// <param name="outputGradient">[tokens, out]</param>
    public void AddGradient(Tensor input, Tensor outputGradient, GradientShare gradient)
    {
        gradient.Add(offset, outputGradient.t().mm(input));
        if (bias is not null) gradient.AddBias(biasOffset, outputGradient.sum(0, keepdim: false, ScalarType.Float32));
    }

    /// <returns>Gradient by the input, [tokens, in].</returns>
    public Tensor Backward(Tensor outputGradient) => outputGradient.mm(matrix);

    public void Dispose()
    {
        matrix.Dispose();
        bias?.Dispose();
    }
}

/// <summary>
/// How many rows products are made of. oneDNN, which multiplies bf16, makes and keeps code for every number of rows, which came to 4 GB in
/// a pretraining, so it is asked for whole sixteens only; the rows behind the tokens are zeros, which change no gradient.
/// </summary>
internal static unsafe class ProductRows
{
    private const int Step = 16;

    public static int Of(int tokens) => (tokens + Step - 1) / Step * Step;

    /// <param name="matrix">[rows of at least as many tokens, columns]</param>
    /// <returns>[rows, columns]: a view.</returns>
    public static Tensor Of(Tensor matrix, int tokens) => matrix.narrow(0, 0, Of(tokens));

    /// <summary>The same, with zeros behind the tokens: what earlier micro-batches left there is gone.</summary>
    /// <param name="matrix">Contiguous.</param>
    public static Tensor Cleared(Tensor matrix, int tokens)
    {
        long row = matrix.shape[1] * matrix.element_size();
        new Span<byte>((byte*)NativeRows.PointerOf(matrix) + (tokens * row), checked((int)((Of(tokens) - tokens) * row))).Clear();
        return Of(matrix, tokens);
    }
}
