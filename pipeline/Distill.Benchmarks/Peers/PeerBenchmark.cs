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

    private static readonly Load[] Loads = [new(1, 48, 2, 1.2, 1.3), new(8, 24, 2, 1.5, 2), new(32, 16, 2.2, 2, 2.5)];

    /// <summary>Chats at once, new tokens of each, and the ratios to reach: of steps in fp32 and int4, and of everything in fp32.</summary>
    private sealed record Load(int Chats, int NewTokens, double Single, double Int4, double All);

    public string Name => "peer";

    public string Summary => "chats served at once by Distill and by ONNX Runtime GenAI; transformers.js: tokens/s and greedy tokens";

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
        using var single = new GenAIPeer(folder, context.Clock, threads: null);
        using var threaded = new GenAIPeer(folder, context.Clock, Environment.ProcessorCount);
        foreach (var load in Loads)
        {
            int newTokens = context.Quick ? 3 : load.NewTokens;
            int[][] prompts = [.. Enumerable.Range(0, load.Chats).Select(chat => DecodeRun.PromptOf(model, chat))];
            var runs = Interleaving.Run<ServedChats>(
                Math.Min(context.Rounds, MostRounds),
                () => Serve(context, model, folder, prompts, newTokens),
                () => single.Serve(prompts, newTokens),
                () => threaded.Serve(prompts, newTokens));
            foreach (var figure in Compare(load, precision, prompts, runs[0], runs[1], runs[2]))
            {
                context.Log($"  {figure.What}: {figure.MeasuredText} {figure.Unit}");
                yield return figure;
            }
        }
    }

    private static Figure[] Compare(
        Load load, ExportPrecision precision, int[][] prompts, IReadOnlyList<ServedChats> ours, IReadOnlyList<ServedChats> single,
        IReadOnlyList<ServedChats> threaded)
    {
        string what = $"{precision.Name()}, {load.Chats} {(load.Chats == 1 ? "chat" : "chats")}";
        double read = prompts.Sum(prompt => prompt.Length), made = ours[0].Tokens.Sum(tokens => tokens.Count);
        int differ = ours[0].Tokens.Zip(single[0].Tokens, Differing).Sum();
        return
        [
            .. Part("prompts", read, run => run.Prefill, 0),
            .. Part("steps", made - load.Chats, run => run.Decode,
                precision switch { ExportPrecision.Single => load.Single, ExportPrecision.Int4 => load.Int4, _ => 0 }),
            .. Part("all", made, run => run.All, precision == ExportPrecision.Single ? load.All : 0),
            Figure.Plain($"{what}: greedy tokens after the first that differs from GenAI's", Series.Of(differ), "", $"of {made:N0}"),
        ];

        Figure[] Part(string part, double tokens, Func<ServedChats, double> seconds, double target)
        {
            Series Rate(IReadOnlyList<ServedChats> runs) => Series.Of(runs, run => tokens / seconds(run));
            Series own = Rate(ours), one = Rate(single), many = Rate(threaded);
            string ratio = $"{what}, {part}: Distill ÷ GenAI";
            return
            [
                Figure.Plain($"{what}, {part}: Distill", own, "tokens/s"),
                Figure.Plain($"{what}, {part}: GenAI", one, "tokens/s", "as it comes: one thread"),
                Figure.Plain($"{what}, {part}: GenAI, every core", many, "tokens/s", "intra_op_num_threads set"),
                target > 0 ? Figure.AtLeast(ratio, target, own.Over(one), "×") : Figure.Plain(ratio, own.Over(one), "×"),
                Figure.Plain(ratio + ", every core", own.Over(many), "×"),
            ];
        }
    }

    private static int Differing(IReadOnlyList<int> own, IReadOnlyList<int> other) =>
        own.Count - own.Zip(other).TakeWhile(pair => pair.First == pair.Second).Count();

    /// <summary>Greedy tokens of prompts side by side, the end token forbidden.</summary>
    public static ServedChats Serve(
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
