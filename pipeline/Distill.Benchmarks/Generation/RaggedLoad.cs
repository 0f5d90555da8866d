using Distill.Generation;

namespace Distill.Benchmarks.Generation;

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
            for (int slot = 0; slot < batch.Length; slot++) next[slot] = sampler.Choose(Row(slot), Sampling, default, ref random[slot]).Token;
            if (token + 1 < longest) session.Step(next, logits.AsSpan(0, batch.Length * vocabulary));
        }
    }
}
