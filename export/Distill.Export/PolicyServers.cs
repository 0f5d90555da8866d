using System.Runtime.InteropServices;
using Distill.Architecture;
using Distill.Export.Formats;
using Distill.Export.Onnx;
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
internal sealed class OnnxPolicyServer(DecoderArchitecture architecture, OnnxModelOptions? options = null) : IPolicyServer
{
    private readonly DecoderGraph graph = new(architecture);

    public ITokenModel Serve(FlatParameters parameters) =>
        OnnxTokenModel.FromBytes(graph.ToBytes(parameters.View()), architecture.MaxPositions, options);

    public void Dispose()
    {
    }
}

/// <summary>
/// Serves a student's current weights through one session that stays open and reads them in place: each call copies them into the
/// session's memory. For small models, where opening a session takes longer than a few decoding steps; its matrices are not packed,
/// which costs large ones more than it saves (<see cref="OnnxPolicyServer"/>). The graph is the exported one, but for a tied output
/// projection, which is stored a second time. One model is served at a time: the next call waits for its disposal. One thread.
/// </summary>
internal sealed class LivePolicyServer : IPolicyServer
{
    private readonly DecoderGraph graph;
    private readonly IReadOnlyList<OnnxInitializer> weights;
    private readonly SharedInitializers shared = new();
    private readonly OnnxModelOptions options;
    private OnnxTokenModel? model;
    private bool serving;

    /// <param name="options">
    /// Threads within an operator are always one: a matrix that is not packed is cut for threads by the number of rows, and with the cut
    /// changes the order of a sum.
    /// </param>
    public LivePolicyServer(DecoderArchitecture architecture, OnnxModelOptions? options = null)
    {
        this.options = (options ?? new OnnxModelOptions()) with { IntraOpThreads = 1 };
        graph = new DecoderGraph(architecture, new LiveFormat());
        weights = graph.Weights;
        foreach (var weight in weights) shared.Add(weight.Name, weight.Shape);
    }

    /// <exception cref="InvalidOperationException">What was served last is not disposed.</exception>
    public ITokenModel Serve(FlatParameters parameters)
    {
        if (serving) throw new InvalidOperationException("The policy served last is still in use; its weights must not change.");
        var current = parameters.View();
        foreach (var weight in weights) weight.Fill(current, 0, MemoryMarshal.AsBytes(shared[weight.Name]));
        model ??= OnnxTokenModel.FromBytes(graph.ToBytes(current), graph.Architecture.MaxPositions, options, shared);
        serving = true;
        return new Served(this, model);
    }

    public void Dispose()
    {
        model?.Dispose();
        shared.Dispose();
    }

    private sealed class Served(LivePolicyServer server, OnnxTokenModel model) : ITokenModel
    {
        public int VocabularySize => model.VocabularySize;

        public int MaxLength => model.MaxLength;

        public IDecodeSession Open(int slots, int maxLength) => model.Open(slots, maxLength);

        public void Dispose() => server.serving = false;
    }
}
