using Distill.Generation.GenAI;
using Distill.Generation.Onnx;
using Microsoft.ML.OnnxRuntimeGenAI;

namespace Distill.Benchmarks.Peers;

/// <summary>Seconds and tokens of chats served at once.</summary>
/// <param name="Prefill">Reading the prompts.</param>
/// <param name="Decode">Every token but the first of each chat.</param>
/// <param name="All">Both, and making the memory that holds the chats.</param>
/// <param name="Tokens">[chat][token]: the most probable ones, the end token forbidden.</param>
internal sealed record ServedChats(double Prefill, double Decode, double All, IReadOnlyList<IReadOnlyList<int>> Tokens);

/// <summary>
/// ONNX Runtime GenAI as its own users run it: one generator for the whole batch, whose prompts are padded on the right to the longest.
/// Dispose it.
/// </summary>
internal sealed class GenAIPeer : IDisposable
{
    private readonly Model model;
    private readonly TimeProvider clock;
    private readonly int pad;

    /// <param name="threads">Of an operator; null: what the folder's session options and GenAI's own defaults say, which is one.</param>
    public GenAIPeer(ModelFolder folder, TimeProvider clock, int? threads)
    {
        _ = RuntimeTelemetry.Runtime;
        using var configuration = new Config(folder.Path);
        if (threads is { } count) configuration.Overlay(GenAITokenModel.Overlay(new OnnxModelOptions { IntraOpThreads = count }, folder));
        model = new Model(configuration);
        this.clock = clock;
        pad = folder.Configuration.PadTokenId ?? 0;
    }

    public static string Version { get; } = typeof(Model).Assembly.GetName().Version!.ToString(3);

    public ServedChats Serve(IReadOnlyList<int[]> prompts, int newTokens)
    {
        int longest = prompts.Max(prompt => prompt.Length), length = longest + newTokens;
        int[] block = new int[prompts.Count * longest]; // [chat, longest]
        Array.Fill(block, pad);
        for (int chat = 0; chat < prompts.Count; chat++) prompts[chat].CopyTo(block.AsSpan(chat * longest));
        long began = clock.GetTimestamp();
        using var parameters = new GeneratorParams(model);
        parameters.SetSearchOption("batch_size", prompts.Count);
        parameters.SetSearchOption("max_length", length);
        parameters.SetSearchOption("min_length", length); // forbids the end token
        parameters.SetSearchOption("do_sample", false);
        using var generator = new Generator(model, parameters);
        long start = clock.GetTimestamp();
        generator.AppendTokens(block);
        long read = clock.GetTimestamp();
        for (int i = 0; i < newTokens; i++) generator.GenerateNextToken(); // the first needs no run of the model
        long done = clock.GetTimestamp();
        var tokens = prompts.Select((_, chat) => generator.GetSequence((ulong)chat)[longest..].ToArray()).ToList();
        return new ServedChats(Seconds(start, read), Seconds(read, done), Seconds(began, done), tokens);
    }

    public void Dispose() => model.Dispose();

    private double Seconds(long from, long to) => clock.GetElapsedTime(from, to).TotalSeconds;
}
