using System.Numerics.Tensors;
using Distill.Student.Model;
using Distill.Student.Training;
using static TorchSharp.torch;

namespace Distill.Student.Fused;

/// <summary>
/// One decoder layer of one replica: forward keeps what backward needs. Matrix products go to libtorch, everything between
/// them is one pass over rows. One thread; the calls of one micro-batch lie in one dispose scope.
/// </summary>
internal sealed unsafe class FusedLayer : IDisposable
{
    private readonly FlatParameters parameters;
    private readonly LayerWeights weights;
    private readonly FusedAttention attention;
    private readonly ReplicaScratch scratch;
    private readonly int hidden;
    private readonly NativeBuffer input;    // [capacity, hidden]: residual stream before the layer
    private readonly NativeBuffer middle;   // [capacity, hidden]: after attention
    private readonly NativeBuffer inverseRms; // [2, capacity]
    private readonly Tensor normedInput, normedMiddle; // [rows of capacity, hidden], matmul precision
    private readonly Tensor attended;       // [rows of capacity, heads · size]
    private readonly Tensor activated;      // [rows of capacity, intermediate]
    private Tensor? projected, gateUp;      // products of this micro-batch, [rows, ...]

    public FusedLayer(
        FlatParameters parameters, LayerWeights weights, int layer, HeadRotation rotation, ReplicaScratch scratch, ScalarType precision)
    {
        var a = parameters.Architecture;
        this.parameters = parameters;
        this.weights = weights;
        this.scratch = scratch;
        hidden = a.HiddenSize;
        attention = new FusedAttention(a, layer, rotation, scratch.Attention, scratch.Capacity);
        input = new NativeBuffer((long)scratch.Capacity * hidden);
        middle = new NativeBuffer((long)scratch.Capacity * hidden);
        inverseRms = new NativeBuffer(2L * scratch.Capacity);
        Tensor Rows(long columns) => zeros([ProductRows.Of(scratch.Capacity), columns], precision).DetachFromDisposeScope();
        (normedInput, normedMiddle, attended, activated) =
            (Rows(hidden), Rows(hidden), Rows((long)a.Heads * a.HeadSize), Rows(a.IntermediateSize));
    }

    /// <param name="residual">[tokens, hidden], updated in place.</param>
    public void Forward(TokenBatch batch, float* residual)
    {
        using var scope = NewDisposeScope(); // all but the two products go with the layer, not with the micro-batch
        int tokens = batch.Tokens.Length;
        float epsilon = (float)parameters.Architecture.RmsNormEpsilon;
        Copy(residual, input.Pointer, tokens);
        RowNorm.Forward(
            residual, Norm(weights.InputNormOffset), new NativeRows(normedInput), inverseRms.Slice(0, tokens), epsilon,
            scratch.Row(hidden));
        projected = weights.Packed.Forward(ProductRows.Cleared(normedInput, tokens)).MoveToOuterDisposeScope();
        attention.Forward(
            batch, new NativeRows(projected), HeadNormWeight(weights.QueryNormOffset), HeadNormWeight(weights.KeyNormOffset),
            new NativeRows(attended));
        Add(residual, weights.Output.Forward(ProductRows.Cleared(attended, tokens)), tokens);
        Copy(residual, middle.Pointer, tokens);
        RowNorm.Forward(
            residual, Norm(weights.AttentionNormOffset), new NativeRows(normedMiddle), inverseRms.Slice(scratch.Capacity, tokens), epsilon,
            scratch.Row(hidden));
        gateUp = weights.GateUp.Forward(ProductRows.Cleared(normedMiddle, tokens)).MoveToOuterDisposeScope();
        SwiGlu.Forward(new NativeRows(gateUp), new NativeRows(activated), tokens);
        Add(residual, weights.Down.Forward(ProductRows.Cleared(activated, tokens)), tokens);
    }

    /// <param name="residualGradient">[tokens, hidden], updated in place from the layer's output to its input.</param>
    /// <param name="gradient">This replica's hand in the gradient.</param>
    public void Backward(TokenBatch batch, float* residualGradient, GradientShare gradient)
    {
        using var scope = NewDisposeScope();
        int tokens = batch.Tokens.Length;
        var incoming = Narrowed(residualGradient, tokens);
        weights.Down.AddGradient(ProductRows.Of(activated, tokens), incoming, gradient);
        var gateUpGradient = ProductRows.Cleared(empty_like(gateUp!), tokens);
        SwiGlu.Backward(new NativeRows(gateUp!), new NativeRows(weights.Down.Backward(incoming)), new NativeRows(gateUpGradient), tokens);
        weights.GateUp.AddGradient(ProductRows.Of(normedMiddle, tokens), gateUpGradient, gradient);
        RowNorm.Backward(
            middle.Pointer, Norm(weights.AttentionNormOffset), new NativeRows(weights.GateUp.Backward(gateUpGradient)),
            inverseRms.Slice(scratch.Capacity, tokens),
            residualGradient, gradient.Slice(weights.AttentionNormOffset, hidden), scratch.Row(2 * hidden));

        incoming = Narrowed(residualGradient, tokens);
        weights.Output.AddGradient(ProductRows.Of(attended, tokens), incoming, gradient);
        var packedGradient = ProductRows.Cleared(empty_like(projected!), tokens);
        attention.Backward(
            batch, new NativeRows(projected!), new NativeRows(attended), new NativeRows(weights.Output.Backward(incoming)),
            new NativeRows(packedGradient),
            HeadNormWeight(weights.QueryNormOffset), HeadNormWeight(weights.KeyNormOffset), gradient.PointerAt(weights.QueryNormOffset),
            gradient.PointerAt(weights.KeyNormOffset));
        weights.Packed.AddGradient(ProductRows.Of(normedInput, tokens), packedGradient, gradient);
        RowNorm.Backward(
            input.Pointer, Norm(weights.InputNormOffset), new NativeRows(weights.Packed.Backward(packedGradient)),
            inverseRms.Slice(0, tokens),
            residualGradient, gradient.Slice(weights.InputNormOffset, hidden), scratch.Row(2 * hidden));
        projected!.Dispose();
        gateUp!.Dispose();
        (projected, gateUp) = (null, null);
    }

    public void Dispose()
    {
        attention.Dispose();
        input.Dispose();
        middle.Dispose();
        inverseRms.Dispose();
        normedInput.Dispose();
        normedMiddle.Dispose();
        attended.Dispose();
        activated.Dispose();
        weights.Dispose();
    }

    private ReadOnlySpan<float> Norm(long offset) => new(parameters.Pointer + offset, hidden);

    private float* HeadNormWeight(long offset) => offset < 0 ? null : parameters.Pointer + offset;

    private Tensor Narrowed(float* rows, int tokens)
    {
        var target = ProductRows.Cleared(empty([ProductRows.Of(tokens), hidden], normedInput.dtype), tokens);
        var view = new NativeRows(target);
        for (int token = 0; token < tokens; token++) view.Store(token, new ReadOnlySpan<float>(rows + (long)token * hidden, hidden));
        return target;
    }

    private void Add(float* residual, Tensor product, int tokens)
    {
        var rows = new NativeRows(product);
        var loaded = scratch.Row(hidden);
        for (int token = 0; token < tokens; token++)
        {
            rows.Load(token, loaded);
            var target = new Span<float>(residual + (long)token * hidden, hidden);
            TensorPrimitives.Add(target, loaded, target);
        }
    }

    private void Copy(float* source, float* target, int tokens) =>
        Buffer.MemoryCopy(source, target, (long)scratch.Capacity * hidden * sizeof(float), (long)tokens * hidden * sizeof(float));
}
