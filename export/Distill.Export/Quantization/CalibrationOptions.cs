using Distill.Architecture;

namespace Distill.Export.Quantization;

/// <summary>How codes and scales are chosen over given texts. Immutable.</summary>
internal sealed record CalibrationOptions
{
    /// <summary>Layout of a matrix by the name of its parameter.</summary>
    public required Func<string, BlockLayout> Layout { get; init; }

    public ScaleRule Rule { get; init; } = ScaleRule.LeastSquares;

    /// <summary>Columns by falling importance rather than as they lie; see <see cref="ColumnOrder"/>.</summary>
    public bool FallingOrder { get; init; }

    /// <summary>That share the rows of a matrix; no part of the result.</summary>
    public int Threads { get; init; } = 1;

    internal static IReadOnlyList<string> Attention { get; } =
        ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"];

    internal static IReadOnlyList<string> FeedForward { get; } = ["mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"];

    internal static string NameOf(int layer, string part) => ParameterMap.Layer(layer, part + ".weight");
}
