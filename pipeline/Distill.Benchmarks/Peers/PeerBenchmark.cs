using Distill.Benchmarks.Generation;
using Distill.Benchmarks.Measuring;
using Distill.Benchmarks.Workloads;
using Distill.Export;
using Distill.Generation;
using Distill.Generation.Onnx;

namespace Distill.Benchmarks.Peers;

/// <summary>Other runtimes on the folders that Distill writes: ONNX Runtime GenAI in this process, transformers.js in another.</summary>
internal sealed class PeerBenchmark : IBenchmark
{
    private const int MostRounds = 5;

    // Chats at once, new tokens of each, and what the ratio is to reach: of decoding in fp32 and int4, and of everything in fp32.
    private static readonly (int Chats, int NewTokens, double Single, double Int4, double All)[] Loads =
        [(1, 48, 2, 1.2, 1.3), (8, 24, 2, 1.5, 2), (32, 16, 2.2, 2, 2.5)];

    public string Name => "peer";

    public string Summary => "chats served at once by Distill and by ONNX Runtime GenAI, and by transformers.js: tokens/s and greedy tokens";

    public IReadOnlyList<Figure> Run(BenchmarkContext context)
    {
        var figures = new List<Figure>();
        foreach (var precision in (ExportPrecision[])[ExportPrecision.Single, ExportPrecision.Int8, ExportPrecision.Int4])
        {
            using var folder = new TemporaryFolder();
            string path = context.Large.OnnxFolder;
            if (precision != ExportPrecision.Single)
                LargeModel.Export(context.Large.RequireCheckpoint(), path = folder.Path, precision);
            figures.AddRange(WithGenAI(context, ModelFolder.Open(path), precision));
        }

        return [.. figures, .. WithTransformers(context)];
    }

    private static IEnumerable<Figure> WithGenAI(BenchmarkContext context, ModelFolder folder, ExportPrecision precision)
    {
        using var loaded = OnnxTokenModel.Load(folder);
        using var model = new TimedTokenModel(loaded, context.Clock);
        using var peer = new GenAIPeer(folder, context.Clock);
        foreach (var load in Loads)
        {
            int newTokens = context.Quick ? 3 : load.NewTokens;
            int[][] prompts = [.. Enumerable.Range(0, load.Chats).Select(chat => PromptOf(model, chat))];
            var runs = Interleaving.Run<ServedChats>(
                Math.Min(context.Rounds, MostRounds),
                () => Serve(context, model, folder, prompts, newTokens),
                () => peer.Serve(prompts, newTokens));
            string what = $"{precision.Name()}, {load.Chats} chats";
            foreach (var figure in Compare(what, load, precision, prompts, newTokens, runs[0], runs[1]))
            {
                context.Log($"  {figure.What}: {figure.MeasuredText} {figure.Unit}");
                yield return figure;
            }
        }
    }

    private static Figure[] Compare(
        string what, (int Chats, int NewTokens, double Single, double Int4, double All) load, ExportPrecision precision, int[][] prompts,
        int newTokens, IReadOnlyList<ServedChats> ours, IReadOnlyList<ServedChats> theirs)
    {
        double read = prompts.Sum(prompt => prompt.Length), made = load.Chats * newTokens, stepped = load.Chats * (newTokens - 1);
        Series Rate(IReadOnlyList<ServedChats> runs, double tokens, Func<ServedChats, double> seconds) =>
            Series.Of(runs, run => tokens / seconds(run));
        Figure[] Rates(string part, double tokens, Func<ServedChats, double> seconds, double target)
        {
            Series own = Rate(ours, tokens, seconds), other = Rate(theirs, tokens, seconds);
            string ratio = $"{what}, {part}: Distill ÷ GenAI";
            return
            [
                Figure.Plain($"{what}, {part}: Distill", own, "tokens/s"),
                Figure.Plain($"{what}, {part}: GenAI", other, "tokens/s"),
                target > 0 ? Figure.AtLeast(ratio, target, own.Over(other), "×") : Figure.Plain(ratio, own.Over(other), "×"),
            ];
        }

        int differ = ours[0].Tokens.Zip(theirs[0].Tokens, Differing).Sum();
        return
        [
            .. Rates("prompts", read, run => run.Prefill, 0),
            .. Rates("steps", stepped, run => run.Decode,
                precision switch { ExportPrecision.Single => load.Single, ExportPrecision.Int4 => load.Int4, _ => 0 }),
            .. Rates("all", made, run => run.All, precision == ExportPrecision.Single ? load.All : 0),
            Figure.Plain($"{what}: greedy tokens that differ from GenAI's", Series.Of(differ), "", $"of {made:N0}, after the first that does all"),
        ];
    }

    private static int Differing(IReadOnlyList<int> own, IReadOnlyList<int> other) =>
        own.Count - own.Zip(other).TakeWhile(pair => pair.First == pair.Second).Count();

    private static ServedChats Serve(
        BenchmarkContext context, TimedTokenModel model, ModelFolder folder, int[][] prompts, int newTokens)
    {
        var sampling = new SamplingOptions
        {
            LogitBias = folder.Configuration.EosTokenIds.ToDictionary(id => id, _ => float.NegativeInfinity),
        };
        GenerationRequest[] requests = [.. prompts.Select(prompt =>
            new GenerationRequest { Prompt = prompt, MaxNewTokens = newTokens, Sampling = sampling, Seeds = [0] })];
        IReadOnlyList<IReadOnlyList<Completion>> completions = [];
        model.TakeTimes();
        double all = context.Seconds(() => completions = new BatchGenerator(model, slots: prompts.Length).Complete(requests));
        var times = model.TakeTimes();
        return new ServedChats(
            times.Prefilling, all - times.Prefilling - times.Opening, all, [.. completions.Select(completion => completion[0].Tokens)]);
    }

    /// <summary>Ragged, 33 to 96 tokens: which tokens they are does not matter to speed.</summary>
    private static int[] PromptOf(ITokenModel model, int chat) =>
        [.. Enumerable.Range(0, 33 + (chat * 23 % 64)).Select(i => (int)((100 + (i * 7919L) + (chat * 104_729L)) % model.VocabularySize))];

    private static IReadOnlyList<Figure> WithTransformers(BenchmarkContext context)
    {
        try
        {
            return TransformersComparison.Run(context);
        }
        catch (WorkloadAbsentException absent)
        {
            return [Figure.NotApplicable("transformers.js", "", absent.Message)];
        }
    }
}
