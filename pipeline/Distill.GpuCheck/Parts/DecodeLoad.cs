using Distill.Export;
using Distill.Generation;
using Distill.Generation.Onnx;
using Distill.Generation.Torch;

namespace Distill.GpuCheck.Parts;

/// <summary>A decoder of 135 million parameters with random weights, and what is asked of it. Dispose it.</summary>
internal sealed class DecodeLoad : IDisposable
{
    private const int Prompt = 4;

    private readonly TimeProvider clock;

    public DecodeLoad(CheckContext context, CudaOptions? cuda = null)
    {
        clock = context.Clock;
        var shape = Workload.Shape(context.IsSmall);
        using var weights = Workload.RandomWeights(shape);
        byte[] graph = new DecoderGraph(shape, new ExportOptions { Precision = PrecisionOf(context) }).ToBytes(weights.View());
        Model = TorchTokenModel.FromBytes(graph, shape.MaxPositions, context.Decoding with { Cuda = cuda ?? new() });
    }

    public TorchTokenModel Model { get; }

    /// <summary>The processor has no attention in 16 bits.</summary>
    public static ExportPrecision PrecisionOf(CheckContext context) => context.IsSmall ? ExportPrecision.Single : ExportPrecision.Half;

    /// <summary>Completes a short prompt in every slot.</summary>
    /// <returns>Tokens made, and tokens a second.</returns>
    public (IReadOnlyList<int[]> Tokens, double Rate) Complete(int slots, int tokens, SamplingOptions sampling)
    {
        var requests = Enumerable.Range(0, slots).Select(row => new GenerationRequest
        {
            Prompt = [.. Enumerable.Range(0, Prompt).Select(i => (row + i) % Model.VocabularySize)],
            MaxNewTokens = tokens,
            Sampling = sampling,
            Seeds = [(ulong)row],
        }).ToList();
        long began = clock.GetTimestamp();
        var completions = new BatchGenerator(Model, slots).Complete(requests);
        double seconds = clock.GetElapsedTime(began).TotalSeconds;
        int[][] made = [.. completions.Select(each => each[0].Tokens.ToArray())];
        return (made, made.Sum(row => (double)row.Length) / seconds);
    }

    /// <summary>What a step is made of: the run with its inputs, and the choice of the tokens.</summary>
    /// <returns>Milliseconds each, the median of the steps.</returns>
    public (double Run, double Choice) Parts(int slots, int steps)
    {
        using var session = (ISamplingSession)Model.Open(slots, Prompt + steps + 1);
        for (int slot = 0; slot < slots; slot++) session.Prefill(slot, [1, 2, 3, 4]);
        TokenQuery[] queries = [.. Enumerable.Range(0, slots)
            .Select(row => new TokenQuery(new SamplingOptions { Temperature = 1 }, (row + 0.5) / slots, default, 0))];
        int[] tokens = [.. Enumerable.Range(1, slots)];
        var answers = new TokenAnswers();
        var runs = new List<double>();
        var choices = new List<double>();
        for (int step = 0; step < steps; step++)
        {
            long began = clock.GetTimestamp();
            session.Step(tokens);
            long stepped = clock.GetTimestamp();
            session.ChooseNext(queries, answers);
            runs.Add(clock.GetElapsedTime(began, stepped).TotalMilliseconds);
            choices.Add(clock.GetElapsedTime(stepped).TotalMilliseconds);
        }

        return (Median(runs), Median(choices));
    }

    /// <summary>Reads prompts of as many lengths, one after another, twice: lengths that are new, and the same ones again.</summary>
    /// <returns>Milliseconds a prompt, the median of each round.</returns>
    public (double New, double Again) Prompts(int lengths)
    {
        using var session = (ISamplingSession)Model.Open(1, Prompt + lengths + 1);
        double[] rounds = [.. Enumerable.Range(0, 2).Select(_ => Median([.. Enumerable.Range(Prompt, lengths).Select(length =>
        {
            session.Clear(0);
            long began = clock.GetTimestamp();
            session.Prefill(0, [.. Enumerable.Range(1, length)]);
            return clock.GetElapsedTime(began).TotalMilliseconds;
        })]))];
        return (rounds[0], rounds[1]);
    }

    public void Dispose() => Model.Dispose();

    private static double Median(IReadOnlyList<double> values) => Math.Round(values.Order().ElementAt(values.Count / 2), 3);
}
