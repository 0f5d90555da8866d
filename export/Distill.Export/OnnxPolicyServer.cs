using Distill.Architecture;
using Distill.Generation;
using Distill.Generation.Onnx;
using Distill.Student.Model;
using Distill.Student.Reinforcement;

namespace Distill.Export;

/// <summary>
/// Serves a student's current weights through ONNX Runtime, by way of memory: the graph is described once, each call copies the weights
/// into a model of bytes and opens it. Rollouts so run on the very graph that is exported at the end. Any number of models may live at
/// once. For models that do not fit into a cache, whose matrices are worth packing. Safe from any thread.
/// </summary>
public sealed class OnnxPolicyServer(DecoderArchitecture architecture, OnnxModelOptions? options = null) : IPolicyServer
{
    private readonly DecoderGraph graph = new(architecture);

    public ITokenModel Serve(FlatParameters parameters) => OnnxTokenModel.FromBytes(graph.ToBytes(parameters.View()), architecture.MaxPositions, options);

    public void Dispose()
    {
    }
}
