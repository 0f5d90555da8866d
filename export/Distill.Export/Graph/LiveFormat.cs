using Distill.Architecture;

namespace Distill.Export.Graph;

/// <summary>fp32 with every matrix as its operator reads it, so that nothing has to be folded when the model is opened and all weights can change afterwards.</summary>
internal sealed class LiveFormat : SingleFormat
{
    public override string Head(GraphAssembly graph, string input, string output, ParameterSpec head, bool tied) =>
        Multiply(graph, input, output, "lm_head", new ProjectionWeights(head));
}
