using Distill.Export.Onnx;

namespace Distill.Export.Graph;

/// <summary>RMS norms. ONNX Runtime's names: "simplified layer normalization", fused with the residual addition where there is one.</summary>
internal static class NormGraph
{
    /// <summary>The operator lives in the standard domain of ONNX Runtime.</summary>
    public static string Add(GraphAssembly graph, string input, string output, string weight, double epsilon) =>
        graph.Add("SimplifiedLayerNormalization", output, [input, weight], OnnxAttribute.Of("axis", -1), OnnxAttribute.Of("epsilon", (float)epsilon), OnnxAttribute.Of("stash_type", 1));

    /// <summary>Adds a branch to the residual stream and normalises the sum.</summary>
    /// <returns>The normalised sum and the sum itself.</returns>
    public static (string Normed, string Residual) AddSkip(GraphAssembly graph, string residual, string branch, string name, string weight, double epsilon, bool last = false)
    {
        string normed = name + ".normed", sum = name + ".residual";
        string[] outputs = last ? [normed] : [normed, "", "", sum];
        graph.AddMicrosoft("SkipSimplifiedLayerNormalization", outputs, [residual, branch, weight], OnnxAttribute.Of("epsilon", (float)epsilon));
        return (normed, sum);
    }
}
