using Distill.Architecture;
using Distill.Benchmarks.Machines;
using Distill.Benchmarks.Measuring;
using Distill.Generation;
using Distill.Generation.Onnx;

namespace Distill.Benchmarks.Generation;

/// <summary>
/// Prompts read and texts scored, against the rate of matrix products. Counted is what the result needs: two operations a weight and token,
/// of the output projection only where its logits are wanted; not attention, norms and the like.
/// </summary>
internal sealed class PrefillBenchmark : IBenchmark
{
    private static readonly int[] Lengths = [64, 256, 512, 1000];

    public string Name => "prefill";

    public string Summary => "prompts read and texts scored by the large model, against the rate of matrix products";

    public IReadOnlyList<Figure> Run(BenchmarkContext context)
    {
        var work = new PromptWork(context.Large.RequireCheckpoint().Architecture);
        using var product = new OnnxProductRate(context);
        using var model = context.Large.Load();
        using var whole = context.Large.Load(new OnnxModelOptions { SelectLogitRows = false });
        using var reading = new PromptReading(context, model);
        using var readingAll = new PromptReading(context, whole);
        var variants = new List<Func<double>> { product.Measure, () => reading.Score(0), () => reading.Score(20) };
        foreach (int length in Lengths) variants.AddRange([() => reading.Read(length), () => readingAll.Read(length)]);
        var seconds = Interleaving.Run<double>(context.Rounds, variants);

        var peak = new Series(seconds[0]);
        var scored = Rate(seconds[1], PromptReading.ScoredTokens, work.PerScoredToken);
        var figures = new List<Figure>
        {
            Figure.Plain("matrix product of ONNX Runtime, fp32", peak, "GFLOP/s", $"{ProductRate.SizeOf(context)}³, all cores"),
            Figure.Plain("scoring", new(seconds[1].Select(time => PromptReading.ScoredTokens / time)), "tokens/s",
                    PromptReading.ScoredTexts),
            Figure.AtLeast("scoring, share of the product rate", 70, Share(scored, peak), "%"),
            Figure.Plain("scoring with 20 alternatives, share of the product rate",
                Share(Rate(seconds[2], PromptReading.ScoredTokens, work.PerScoredToken), peak), "%"),
        };
        for (int i = 0; i < Lengths.Length; i++)
        {
            int length = Lengths[i];
            IReadOnlyList<double> chosen = seconds[3 + (2 * i)], all = seconds[4 + (2 * i)];
            var share = Share(Rate(chosen, length, work.PerPromptToken), peak);
            string what = $"a prompt of {length} tokens";
            figures.Add(Figure.Plain(what, new(chosen.Select(time => length / time)), "tokens/s"));
            figures.Add(length < 256 ? Figure.Plain($"{what}, share of the product rate", share, "%", "short: waits for weights")
                : Figure.AtLeast($"{what}, share of the product rate", 70, share, "%"));
            figures.Add(Figure.Plain($"{what} ÷ with the logits of every position", new Series(all).Over(new(chosen)), "×"));
        }

        return figures;
    }

    private static Series Rate(IReadOnlyList<double> seconds, int tokens, double operations) =>
        new(seconds.Select(time => 1e-9 * tokens * operations / time));

    private static Series Share(Series rate, Series peak) => rate.Over(peak).Select(share => 100 * share);
}

/// <summary>Floating-point operations of a token's matrix products.</summary>
internal sealed record PromptWork(double PerPromptToken, double PerScoredToken)
{
    public PromptWork(DecoderArchitecture a)
        : this(2.0 * (a.ParameterCount - ((a.TieEmbeddings ? 1 : 2) * Table(a))), 0) =>
        PerScoredToken = PerPromptToken + (2.0 * Table(a));

    private static long Table(DecoderArchitecture a) => (long)a.VocabularySize * a.HiddenSize;
}

/// <summary>One model's prompts and scored texts. Dispose it before the model.</summary>
internal sealed class PromptReading : IDisposable
{
    public const int ScoredTokens = 2050;
    public const string ScoredTexts = "texts of 150, 200, 700 and 1,000 tokens";

    private static readonly int[] Texts = [150, 200, 700, 1000];

    private readonly BenchmarkContext context;
    private readonly ITokenModel model;
    private readonly IDecodeSession session;
    private readonly TokenScorer scorer;
    private readonly float[] logits;

    public PromptReading(BenchmarkContext context, ITokenModel model)
    {
        this.context = context;
        this.model = model;
        session = model.Open(1, 1024);
        scorer = new TokenScorer(model, 1024);
        logits = new float[model.VocabularySize];
    }

    /// <returns>Seconds.</returns>
    public double Read(int length)
    {
        int[] prompt = Tokens(length);
        session.Clear(0);
        return context.Seconds(() => session.Prefill(0, prompt, logits));
    }

    /// <returns>Seconds for all texts.</returns>
    public double Score(int top)
    {
        int[][] texts = [.. Texts.Select(Tokens)];
        return context.Seconds(() =>
        {
            foreach (int[] text in texts) scorer.Score(text, top);
        });
    }

    public void Dispose()
    {
        session.Dispose();
        scorer.Dispose();
    }

    private int[] Tokens(int count) => [.. Enumerable.Range(0, count).Select(i => (int)((100 + (i * 7919L)) % model.VocabularySize))];
}
