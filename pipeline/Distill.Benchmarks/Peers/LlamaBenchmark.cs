using Distill.Benchmarks.Generation;
using Distill.Benchmarks.Measuring;
using Distill.Benchmarks.Workloads;
using Distill.Export;
using Distill.Export.Gguf;
using Distill.Generation.Onnx;

namespace Distill.Benchmarks.Peers;

/// <summary>Another runtime with a model open. Dispose it.</summary>
internal interface IRowPeer : IDisposable
{
    /// <summary>Greedy tokens of prompts side by side.</summary>
    ServedChats Serve(IReadOnlyList<int[]> prompts, int newTokens);
}

/// <summary>llama.cpp on the GGUF files that Distill writes, at like precision, in turns with Distill in this process.</summary>
internal sealed class LlamaBenchmark : IBenchmark
{
    private const int MostRounds = 5;

    // Chats at once, new tokens of each, the ratio to reach.
    private static readonly (int Chats, int NewTokens, double Target)[] s_loads = [(1, 48, 1), (8, 24, 1.5), (32, 16, 2)];

    private static readonly (ExportPrecision Own, GgufPrecision Other)[] s_precisions =
    [
        (ExportPrecision.Single, GgufPrecision.Single), (ExportPrecision.Int8, GgufPrecision.Block8),
        (ExportPrecision.Int4, GgufPrecision.Block4),
    ];

    public string Name => "llama";

    public string Summary => "chats served at once by Distill and by llama.cpp on our GGUF of the same model";

    public IReadOnlyList<Figure> Run(BenchmarkContext context)
    {
        if (!LlamaPeers.AreThere)
            return [Figure.NotApplicable("Distill ÷ llama.cpp", "", "LLamaSharp is not referenced: build with -p:LlamaPeer=true")];
        var figures = new List<Figure>();
        foreach (var (own, other) in s_precisions)
        {
            using var folder = new TemporaryFolder();
            var checkpoint = context.Large.RequireCheckpoint();
            string path = own == ExportPrecision.Single ? context.Large.OnnxFolder : Path.Combine(folder.Path, "onnx");
            if (own != ExportPrecision.Single) LargeModel.Export(checkpoint, path, own);
            string file = Path.Combine(folder.Path, "model.gguf");
            GgufModel.Write(file, checkpoint.LoadWeights(), LargeModel.TokenizerOf(checkpoint), LargeModel.Description, other);
            figures.AddRange(Compare(context, ModelFolder.Open(path), file, $"{own.Name()} and {other.Name()}"));
        }

        return figures;
    }

    private static IEnumerable<Figure> Compare(BenchmarkContext context, ModelFolder folder, string file, string precision)
    {
        using var loaded = OnnxTokenModel.Load(folder);
        using var model = new TimedTokenModel(loaded, context.Clock);
        using var peer = LlamaPeers.Open(file, context.Clock);
        foreach (var (chats, newTokens, target) in s_loads)
        {
            int tokens = context.Quick ? 3 : newTokens;
            int[][] prompts = [.. Enumerable.Range(0, chats).Select(chat => DecodeRun.PromptOf(model, chat))];
            var runs = Interleaving.Run<ServedChats>(
                Math.Min(context.Rounds, MostRounds),
                () => PeerBenchmark.Serve(context, model, folder, prompts, tokens),
                () => peer.Serve(prompts, tokens));
            double steps = chats * (tokens - 1);
            Series Rate(IReadOnlyList<ServedChats> of) => Series.Of(of, run => steps / run.Decode);
            string what = $"{precision}, {chats} {(chats == 1 ? "chat" : "chats")}";
            context.Log($"  {what}: {Rate(runs[0]).Over(Rate(runs[1])).Median:0.##} ×");
            yield return Figure.Plain($"{what}: Distill", Rate(runs[0]), "tokens/s");
            yield return Figure.Plain($"{what}: llama.cpp", Rate(runs[1]), "tokens/s", LlamaPeers.Version);
            yield return Figure.AtLeast(
                $"{what}: Distill ÷ llama.cpp", target, Rate(runs[0]).Over(Rate(runs[1])), "×", "prompts left out");
        }
    }
}

/// <summary>llama.cpp where this program was built with it; the half that knows how lies in Llama/ and is compiled then only.</summary>
internal static partial class LlamaPeers
{
    public static bool AreThere
    {
        get
        {
            bool there = false;
            Find(ref there);
            return there;
        }
    }

    public static string Version
    {
        get
        {
            string version = "";
            Describe(ref version);
            return version;
        }
    }

    public static IRowPeer Open(string file, TimeProvider clock)
    {
        IRowPeer? peer = null;
        Open(file, clock, ref peer);
        return peer ?? throw new InvalidOperationException("This program was built without llama.cpp.");
    }

    static partial void Find(ref bool there);

    static partial void Describe(ref string version);

    static partial void Open(string file, TimeProvider clock, ref IRowPeer? peer);
}
