using Distill.Benchmarks.Measuring;
using Distill.Benchmarks.Workloads;
using Distill.Export;
using Distill.Generation;
using Distill.Pipeline.Models;

namespace Distill.Benchmarks.Generation;

internal sealed class RaggedLoadBenchmark : IBenchmark
{
    private const int Slots = 32;

    public string Name => "ragged-load";

    public string Summary => "completions of 16 to 512 tokens on the tiny student: slots kept busy, against fixed batches";

    public IReadOnlyList<Figure> Run(BenchmarkContext context)
    {
        var student = new StudentWorkload();
        var architecture = student.Architecture with { MaxPositions = 2 * RaggedLoad.Longest };
        using var parameters = student.Parameters(architecture);
        using var server = new OnnxPolicyServer(architecture, ServedModel.Options(architecture.ParameterCount * sizeof(float)));
        using var model = server.Serve(parameters);
        int count = context.Quick ? 2 * Slots : 8 * Slots;
        var load = new RaggedLoad(model, count);
        var busy = default(BusyShare);
        var seconds = Interleaving.Run<double>(
            context.Rounds,
            () => context.Seconds(() => busy = load.RunContinuous(model, Slots)),
            () => context.Seconds(() => load.RunFixedBatches(model, Slots)));
        Series continuous = new(seconds[0].Select(value => load.Tokens / value)),
            batches = new(seconds[1].Select(value => load.Tokens / value));
        return
        [
            Figure.AtLeast("slot-steps busy while requests wait", 95, Series.Of(100 * busy.WhileWaiting), "%",
                $"{count} requests, {Slots} slots, logarithmically even lengths, {load.Tokens / count} on average"),
            Figure.Plain("slot-steps busy, end included", Series.Of(100 * busy.WholeRun), "%",
                "at the end nothing is left to fill slots with; a step then runs fewer rows"),
            Figure.Plain("continuous batching", continuous, "tokens/s", "one thread"),
            Figure.Plain("fixed batches run to completion", batches, "tokens/s", "one thread; tokens asked for are counted"),
            Figure.AtLeast("continuous ÷ fixed batches", 2, continuous.Over(batches), "×"),
        ];
    }
}

/// <summary>Share of slot-steps that advanced a completion.</summary>
/// <param name="WhileWaiting">As long as requests wait.</param>
/// <param name="WholeRun">To the end, when nothing is left to fill the slots with.</param>
internal readonly record struct BusyShare(double WhileWaiting, double WholeRun);

/// <summary>Requests of very unequal lengths, the same on every run. Immutable.</summary>
internal sealed class RaggedLoad
{
    public const int Shortest = 16, Longest = 512;

    private const int PromptTokens = 8;

    private static readonly SamplingOptions Sampling = new() { Temperature = 1 };

    public RaggedLoad(ITokenModel model, int count)
    {
        var random = new RandomStream(1);
        Requests = [.. Enumerable.Range(0, count).Select(index => new GenerationRequest
        {
            Prompt = DecodeRun.PromptOf(model, index)[..PromptTokens],
            MaxNewTokens = (int)Math.Round(Shortest * Math.Pow((double)Longest / Shortest, random.NextDouble())),
            Sampling = Sampling,
            Seeds = [(ulong)index],
        })];
    }

    public IReadOnlyList<GenerationRequest> Requests { get; }

    public long Tokens => Requests.Sum(request => (long)request.MaxNewTokens);

    /// <summary>The engine: a slot that becomes free takes the next request.</summary>
    public BusyShare RunContinuous(ITokenModel model, int slots)
    {
        long waitingSteps = 0, waitingRowSteps = 0;
        var all = new BatchGenerator(model, slots: slots).Run(Requests, (_, _, _) => { }, progress =>
        {
            if (progress.Prefills < Requests.Count) (waitingSteps, waitingRowSteps) = (progress.Steps, progress.RowSteps);
        });
        return new BusyShare((double)waitingRowSteps / (waitingSteps * slots), (double)all.RowSteps / (all.Steps * slots));
    }

    /// <summary>What one writes without an engine: batches in order, each run until its longest completion is done.</summary>
    public void RunFixedBatches(ITokenModel model, int slots)
    {
        var sampler = new Sampler(model.VocabularySize);
        using var session = model.Open(slots, PromptTokens + Longest);
        float[] logits = new float[slots * model.VocabularySize];
        foreach (var batch in Requests.Chunk(slots)) RunBatch(session, sampler, batch, logits);
    }

    private static void RunBatch(IDecodeSession session, Sampler sampler, GenerationRequest[] batch, float[] logits)
    {
        int vocabulary = logits.Length / session.Slots;
        int[] next = new int[batch.Length];
        var random = batch.Select(request => new RandomStream(request.Seeds[0])).ToArray();
        Span<float> Row(int slot) => logits.AsSpan(slot * vocabulary, vocabulary);
        for (int slot = 0; slot < batch.Length; slot++)
        {
            session.Clear(slot);
            session.Prefill(slot, [.. batch[slot].Prompt], Row(slot));
        }

        int longest = batch.Max(request => request.MaxNewTokens);
        for (int token = 0; token < longest; token++)
        {
            for (int slot = 0; slot < batch.Length; slot++) next[slot] =
                sampler.Choose(Row(slot), Sampling, default, ref random[slot]).Token;
            if (token + 1 < longest) session.Step(next, logits.AsSpan(0, batch.Length * vocabulary));
        }
    }
}
