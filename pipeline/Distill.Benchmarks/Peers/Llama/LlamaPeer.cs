using System.Numerics.Tensors;
using System.Reflection;
using LLama.Native;

namespace Distill.Benchmarks.Peers;

internal static partial class LlamaPeers
{
    static partial void Find(ref bool there) => there = true;

    // Its own assembly calls itself 0.0.0.
    static partial void Describe(ref string version)
    {
        var facts = typeof(LlamaPeers).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>();
        version = $"LLamaSharp {facts.First(fact => fact.Key == "LLamaSharp").Value}";
    }

    static partial void Open(string file, TimeProvider clock, ref IRowPeer? peer) => peer = new LlamaPeer(file, clock);
}

/// <summary>
/// llama.cpp as its server runs it: one batch with a token of every sequence a step, every core, its own choice of attention.
/// </summary>
internal sealed class LlamaPeer : IRowPeer
{
    private readonly SafeLlamaModelHandle model;
    private readonly TimeProvider clock;

    static LlamaPeer()
    {
        NativeLibraryConfig.All.WithLogCallback((_, _) => { });
        NativeApi.llama_empty_call(); // finds and loads the libraries; types of parameters do not
    }

    public LlamaPeer(string file, TimeProvider clock)
    {
        this.clock = clock;
        model = SafeLlamaModelHandle.LoadFromFile(file, LLamaModelParams.Default());
    }

    public ServedChats Serve(IReadOnlyList<int[]> prompts, int newTokens)
    {
        long began = clock.GetTimestamp();
        using var context = model.CreateContext(Parameters(prompts, newTokens));
        long start = clock.GetTimestamp();
        List<int>[] tokens = [.. prompts.Select(_ => new List<int>(newTokens))];
        foreach (var (chat, prompt) in prompts.Index())
        {
            var batch = new LLamaBatch();
            for (int i = 0; i < prompt.Length; i++) batch.Add(prompt[i], i, (LLamaSeqId)chat, i == prompt.Length - 1);
            Decode(context, batch);
            tokens[chat].Add(Likeliest(context, prompt.Length - 1));
        }

        long read = clock.GetTimestamp();
        for (int step = 1; step < newTokens; step++)
        {
            var batch = new LLamaBatch();
            foreach (var (chat, prompt) in prompts.Index())
                batch.Add(tokens[chat][^1], prompt.Length + step - 1, (LLamaSeqId)chat, logits: true);
            Decode(context, batch);
            for (int chat = 0; chat < prompts.Count; chat++) tokens[chat].Add(Likeliest(context, chat));
        }

        long done = clock.GetTimestamp();
        double Seconds(long from, long to) => clock.GetElapsedTime(from, to).TotalSeconds;
        return new(Seconds(start, read), Seconds(read, done), Seconds(began, done), tokens);
    }

    public void Dispose() => model.Dispose();

    private static LLamaContextParams Parameters(IReadOnlyList<int[]> prompts, int newTokens)
    {
        var parameters = LLamaContextParams.Default();
        int length = (prompts.Max(prompt => prompt.Length) + newTokens + 63) / 64 * 64;
        parameters.n_ctx = (uint)(length * prompts.Count);
        parameters.n_seq_max = (uint)prompts.Count;
        parameters.n_batch = parameters.n_ubatch = 512;
        parameters.n_threads = parameters.n_threads_batch = Environment.ProcessorCount;
        return parameters;
    }

    private static void Decode(SafeLLamaContextHandle context, LLamaBatch batch)
    {
        var result = context.Decode(batch);
        if (result != DecodeResult.Ok) throw new InvalidOperationException($"llama.cpp could not decode: {result}.");
    }

    private static int Likeliest(SafeLLamaContextHandle context, int row) => TensorPrimitives.IndexOfMax<float>(context.GetLogitsIth(row));
}
