using Distill.Architecture;
using Distill.Benchmarks.Measuring;
using Distill.Student.Autograd;
using Distill.Student.Fused;
using Distill.Student.Model;
using Distill.Student.Supervised;
using Distill.Student.Training;

namespace Distill.Benchmarks.Training;

/// <summary>
/// The passes for any device on the processor, fp32, against the plain decoder differentiated one sequence at a time. Among the models are
/// such as the fused passes refuse.
/// </summary>
internal sealed class AutogradBenchmark : IBenchmark
{
    private const int Threads = 2, Capacity = 2048;
    private const double LeastRatio = 1;

    public string Name => "autograd-step";

    public string Summary => "gradients of packed micro-batches on any device, here the processor, against one sequence at a time";

    public IReadOnlyList<Figure> Run(BenchmarkContext context) =>
        [.. (context.Quick ? Cases().Take(2) : Cases()).SelectMany(one => Measure(context, one))];

    private static IEnumerable<Case> Cases()
    {
        var small = Model(hidden: 96, layers: 4, heads: 4, keyHeads: 2, headSize: 24, wide: 288, vocabulary: 512);
        var medium = Model(hidden: 320, layers: 8, heads: 8, keyHeads: 4, headSize: 40, wide: 896, vocabulary: 4096);
        yield return new("0.5M, head size 24, 64 sequences of 30 to 93", small, Apart(64, index => 30 + index));
        yield return new("0.5M, head size 24, 8 prompts of 60 with 8 completions each", small, Together(8, 8, 60));
        yield return new(
            "0.4M, head size 16, 8 prompts of 60 with 8 completions each",
            Model(hidden: 128, layers: 2, heads: 4, keyHeads: 2, headSize: 16, wide: 384, vocabulary: 256), Together(8, 8, 60));
        yield return new("11M, head size 40, 24 sequences of 60 to 336", medium, Apart(24, index => 60 + (12 * index)));
        yield return new(
            "20M, vocabulary of 32k, head size 40, 48 sequences of 20 to 114", medium with { VocabularySize = 32768 },
            Apart(48, index => 20 + (2 * index)));
        yield return new(
            "26M, head size 64, 16 sequences of 60 to 300",
            Model(hidden: 512, layers: 8, heads: 8, keyHeads: 4, headSize: 64, wide: 1408, vocabulary: 4096),
            Apart(16, index => 60 + (16 * index)));
    }

    private static IEnumerable<Figure> Measure(BenchmarkContext context, Case one)
    {
        using var parameters = new FlatParameters(one.Architecture);
        parameters.Initialize(1);
        using var plain = new ReferenceGradientModel(parameters);
        using var packed = new AutogradGradientModel(parameters, options: new AutogradOptions(Capacity, Threads));
        using var fused = !FusedGradientModel.Supports(one.Architecture) ? null
            : new FusedGradientModel(parameters, MatmulPrecision.Fp32, Threads, Capacity);
        double tokens = one.Sequences.Sum(sequence => (double)sequence.Tokens.Count);
        double Rate(IGradientModel model)
        {
            TorchSharp.torch.set_num_threads(model is FusedGradientModel ? 1 : Threads); // the fused passes have threads of their own
            return tokens / context.Seconds(() => model.Differentiate(one.Sequences, one.Loss));
        }

        List<IGradientModel> models = [plain, packed, .. fused is null ? Array.Empty<IGradientModel>() : [fused]];
        Series[] rates = [.. Interleaving.Run<double>(context.Rounds, [.. models.Select(model => (Func<double>)(() => Rate(model)))])
            .Select(rate => new Series(rate))];
        yield return Figure.Plain($"{one.Name}: one at a time", rates[0], "tokens/s", "tokens of every sequence are counted, prompts too");
        yield return Figure.Plain($"{one.Name}: micro-batches", rates[1], "tokens/s");
        if (fused is not null) yield return Figure.Plain($"{one.Name}: fused", rates[2], "tokens/s");
        yield return Figure.AtLeast($"{one.Name}: micro-batches ÷ one at a time", LeastRatio, rates[1].Over(rates[0]), "×");
    }

    private static List<TrainingSequence> Apart(int count, Func<int, int> length) =>
        [.. Enumerable.Range(0, count).Select(index => new TrainingSequence(Tokens(index, length(index)), length(index) / 3))];

    private static List<TrainingSequence> Together(int prompts, int completions, int prompt) =>
        [.. Enumerable.Range(0, prompts * completions).Select(index => new TrainingSequence(
            [.. Tokens(index / completions, prompt), .. Tokens(index, 20 + (index % completions * 5))], prompt))];

    // Below the smallest vocabulary; what they are does not matter, but sequences differ.
    private static int[] Tokens(int seed, int count) => [.. Enumerable.Range(1, count).Select(index => ((seed * 31) + (index * 7)) % 251)];

    private static DecoderArchitecture Model(
        int hidden, int layers, int heads, int keyHeads, int headSize, int wide, int vocabulary) => new()
    {
        ModelType = "qwen3", HiddenSize = hidden, Layers = layers, Heads = heads, KeyValueHeads = keyHeads, HeadSize = headSize,
        IntermediateSize = wide, VocabularySize = vocabulary, MaxPositions = 512, EosTokenId = 0,
    };

    /// <summary>A model and what it learns of.</summary>
    private sealed record Case(string Name, DecoderArchitecture Architecture, IReadOnlyList<TrainingSequence> Sequences)
    {
        public CrossEntropy Loss { get; } = new(Sequences.Sum(sequence => (long)sequence.SupervisedCount));
    }
}
