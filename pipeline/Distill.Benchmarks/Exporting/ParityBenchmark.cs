using Distill.Benchmarks.Measuring;
using Distill.Benchmarks.Workloads;
using Distill.Export.Parity;
using Distill.Tokenization;
using TorchSharp;

namespace Distill.Benchmarks.Exporting;

internal sealed class ParityBenchmark : IBenchmark
{
    public string Name => "parity";

    public string Summary => "the exported large model against the trained one: logits and greedy tokens";

    public IReadOnlyList<Figure> Run(BenchmarkContext context)
    {
        var checkpoint = context.Large.RequireCheckpoint();
        torch.set_num_threads(Environment.ProcessorCount);
        using var reference = new TorchReferenceModel(checkpoint.LoadWeights());
        using var exported = context.Large.Load();
        var (prompts, tokens) = context.Quick ? (1, 3) : (50, 128);
        var encoder = ChatEncoder.Load(checkpoint.Folder);
        int[][] asked = [.. StudentWorkload.Problems(prompts).Select(problem => encoder.EncodePrompt([ChatMessage.User(problem.Text)]))];
        var report = new ParityGate(reference, exported).Run(
            new ParityInputs { Sequences = asked, Prompts = asked, MaxNewTokens = tokens, StopTokens = [encoder.EndToken] },
                ParityTolerance.Exact);
        return
        [
            Figure.AtMost("largest logit difference ÷ largest logit", ParityTolerance.Exact.RelativeLogits,
                Series.Of(report.MaxAbsLogitDiff / report.MaxAbsLogit), "",
                $"{report.MaxAbsLogitDiff:G3} of {report.MaxAbsLogit:F1} at {report.PositionsCompared:N0} positions"),
            Figure.Exactly("greedy tokens that differ", 0, Series.Of(report.GreedyMismatches), "",
                $"{prompts} prompts, {report.GreedyTokensCompared:N0} tokens, {report.GreedyTies} ties left out"),
        ];
    }
}
