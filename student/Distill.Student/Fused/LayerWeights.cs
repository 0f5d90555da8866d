using Distill.Architecture;
using Distill.Student.Model;

namespace Distill.Student.Fused;

/// <summary>
/// Views of one layer's matrices in matmul precision, and where its gradients go. Neighbouring projections of the flat layout
/// are one matrix: query‖key‖value and gate‖up. Views share the memory of the vectors they were cut from.
/// </summary>
internal sealed unsafe class LayerWeights
{
    public LayerWeights(FlatParameters parameters, Tensor matmulValues, int layer)
    {
        var a = parameters.Architecture;
        long packed = (a.Heads + 2L * a.KeyValueHeads) * a.HeadSize, queries = (long)a.Heads * a.HeadSize;
        long At(string part) => parameters.OffsetOf(ParameterMap.Layer(layer, part));
        Tensor View(long offset, long rows, long columns) => matmulValues.narrow(0, offset, rows * columns).view(rows, columns).DetachFromDisposeScope();
        (PackedOffset, OutputOffset, GateUpOffset, DownOffset) = (At("self_attn.q_proj.weight"), At("self_attn.o_proj.weight"), At("mlp.gate_proj.weight"), At("mlp.down_proj.weight"));
        (InputNormOffset, AttentionNormOffset) = (At("input_layernorm.weight"), At("post_attention_layernorm.weight"));
        (QueryNormOffset, KeyNormOffset) = a.QueryKeyNorm ? (At("self_attn.q_norm.weight"), At("self_attn.k_norm.weight")) : (-1, -1);
        Packed = View(PackedOffset, packed, a.HiddenSize);
        Output = View(OutputOffset, a.HiddenSize, queries);
        GateUp = View(GateUpOffset, 2L * a.IntermediateSize, a.HiddenSize);
        Down = View(DownOffset, a.HiddenSize, a.IntermediateSize);
    }

    /// <summary>[packed heads · size, hidden]</summary>
    public Tensor Packed { get; }

    /// <summary>[hidden, heads · size]</summary>
    public Tensor Output { get; }

    /// <summary>[2 · intermediate, hidden]</summary>
    public Tensor GateUp { get; }

    /// <summary>[hidden, intermediate]</summary>
    public Tensor Down { get; }

    public long PackedOffset { get; }

    public long OutputOffset { get; }

    public long GateUpOffset { get; }

    public long DownOffset { get; }

    public long InputNormOffset { get; }

    public long AttentionNormOffset { get; }

    public long QueryNormOffset { get; }

    public long KeyNormOffset { get; }

    public void DisposeViews()
    {
        Packed.Dispose();
        Output.Dispose();
        GateUp.Dispose();
        Down.Dispose();
    }
}
