using Distill.Architecture;
using Distill.Benchmarks.Measuring;
using Distill.Benchmarks.Workloads;
using Distill.Student.Fused;
using Distill.Student.Model;
using Distill.Student.Training;

namespace Distill.Benchmarks.Training;

internal sealed class TrainingStepBenchmark : IBenchmark
{
    private const double LearningRate = 1e-4, LeastRatio = 1.5;

    public string Name => "training-step";

    public string Summary => "a step of the tiny student, fused against plain eager";

    public IReadOnlyList<Figure> Run(BenchmarkContext context)
    {
        var student = new StudentWorkload();
        using var mixedWeights = student.Parameters();
        using var singleWeights = student.Parameters();
        using var paddedWeights = student.Parameters();
        using var groupedWeights = student.Parameters();
        using var mixed = new FusedStep(mixedWeights, LearningRate, MatmulPrecision.Mixed);
        using var single = new FusedStep(singleWeights, LearningRate, MatmulPrecision.Fp32);
        using var padded = new EagerStep(paddedWeights, LearningRate, groups: 1);
        using var grouped = new EagerStep(groupedWeights, LearningRate, groups: 8);
        var steps =
            new EpochSource(student.Examples(context.Quick ? 24 : 600), epochs: 1, batchTokens: context.Quick ? 1024 : 8192, seed: 1);
        RequireSameWork(steps.At(0), mixed.Run, single.Run, padded.Run, grouped.Run);
        double Rate(Func<IReadOnlyList<TrainingSequence>, double> step) => TokensPerSecond(context, steps, step);
        var rates = Interleaving.Run<double>(
            context.Rounds, () => Rate(mixed.Run), () => Rate(single.Run), () => Rate(padded.Run), () => Rate(grouped.Run));
        return Figures(new(rates[0]), new(rates[1]), new(rates[2]), new(rates[3]), MeanLength(steps));
    }

    private static Figure[] Figures(Series mixed, Series single, Series padded, Series grouped, double length) =>
    [
        Figure.Plain("fused, mixed precision", mixed, "tokens/s", $"8k-token steps, {length:F0} tokens a sequence on average"),
        Figure.Plain("fused, fp32", single, "tokens/s"),
        Figure.Plain("eager, fp32, padded to the longest", padded, "tokens/s", "tokens without padding are counted"),
        Figure.Plain("eager, fp32, 8 groups of like length", grouped, "tokens/s", "little padding, but more operations"),
        Figure.AtLeast("fused mixed ÷ eager padded", LeastRatio, mixed.Over(padded), "×"),
        Figure.AtLeast("fused fp32 ÷ eager padded", LeastRatio, single.Over(padded), "×", "same precision"),
        Figure.AtLeast("fused fp32 ÷ eager grouped", LeastRatio, single.Over(grouped), "×", "same precision, hardly any padding"),
    ];

    // A ratio means nothing unless the variants compute the same.
    private static void RequireSameWork(IReadOnlyList<TrainingSequence> step, params IReadOnlyList<Func<IReadOnlyList<TrainingSequence>,
        double>> variants)
    {
        // Twice: the second loss differs when a variant's gradient or update is missing.
        foreach (int pass in (int[])[1, 2])
        {
            double[] losses = [.. variants.Select(variant => variant(step))];
            if (losses.Max() - losses.Min() > 5e-3 * losses.Max())
            {
                string values = string.Join(", ", losses.Select(loss => $"{loss:F4}"));
                throw new InvalidOperationException($"The variants do not compute the same: losses at step {pass} are {values}.");
            }
        }
    }

    private static double TokensPerSecond(BenchmarkContext context, EpochSource steps, Func<IReadOnlyList<TrainingSequence>, double> step)
    {
        long tokens = 0;
        double seconds = context.Seconds(() =>
        {
            for (int i = 0; i < steps.Steps; i++)
            {
                step(steps.At(i));
                tokens += steps.At(i).Sum(sequence => (long)sequence.Tokens.Count);
            }
        });
        return tokens / seconds;
    }

    private static double MeanLength(EpochSource steps) =>
        Enumerable.Range(0, steps.Steps).SelectMany(steps.At).Average(sequence => sequence.Tokens.Count);
}

/// <summary>
/// A step of a decoder whose time goes into matrix products, on sequences of one length, so that a padded eager batch wastes nothing.
/// Operations
/// are counted as 6 per parameter and token; attention's own are left out on both sides.
/// </summary>
internal sealed class WideStepBenchmark : IBenchmark
{
    private const double LearningRate = 1e-5;
    private const int Length = 256;

    public string Name => "wide-step";

    public string Summary => "a step of a 25M decoder, 512 wide: fused in bf16 and fp32 against eager in bf16";

    public IReadOnlyList<Figure> Run(BenchmarkContext context)
    {
        var architecture = Architecture(context.Quick);
        var step = Sequences(architecture, context.Quick ? 2 : 16);
        using var mixedWeights = Weights(architecture);
        using var singleWeights = Weights(architecture);
        using var eagerWeights = Weights(architecture);
        using var mixed = new FusedStep(mixedWeights, LearningRate, MatmulPrecision.Mixed);
        using var single = new FusedStep(singleWeights, LearningRate, MatmulPrecision.Fp32);
        using var eager = new EagerStep(eagerWeights, LearningRate, groups: 1, MatmulPrecision.Mixed);
        RequireSameWork(mixed.Run(step), single.Run(step), eager.Run(step));
        double Rate(Func<IReadOnlyList<TrainingSequence>, double> run) =>
            step.Sum(sequence => (double)sequence.Tokens.Count) / context.Seconds(() => run(step));
        var rates = Interleaving.Run<double>(context.Rounds, () => Rate(mixed.Run), () => Rate(single.Run), () => Rate(eager.Run));
        return Figures(new(rates[0]), new(rates[1]), new(rates[2]), architecture.ParameterCount, context.Machine.BFloat16.Median);
    }

    private static Figure[] Figures(Series mixed, Series single, Series eager, long parameters, double productRate) =>
    [
        Figure.Plain("fused, mixed precision", mixed, "tokens/s", $"{parameters / 1e6:F1} M parameters, sequences of {Length}"),
        Figure.Plain("fused, fp32", single, "tokens/s"),
        Figure.Plain("eager, bf16 products over fp32 weights", eager, "tokens/s", "all cores within each operation"),
        Figure.AtLeast("fused mixed, share of the bf16 matrix product rate", 65,
            mixed.Select(rate => 100 * rate * 6 * parameters / (1e9 * productRate)), "%", "or 1.5 × the eager step"),
        Figure.AtLeast("fused mixed ÷ eager bf16", 1.5, mixed.Over(eager), "×", "or 65 % of the product rate"),
        Figure.AtLeast("fused mixed ÷ fused fp32", 1.8, mixed.Over(single), "×", "where bf16 products are faster at all"),
    ];

    private static void RequireSameWork(params double[] losses)
    {
        if (losses.Max() - losses.Min() > 5e-3 * losses.Max()) throw new InvalidOperationException(
            $"The variants do not compute the same: losses are {string.Join(", ", losses.Select(loss => $"{loss:F4}"))}.");
    }

    private static FlatParameters Weights(DecoderArchitecture architecture)
    {
        var weights = new FlatParameters(architecture);
        weights.Initialize(1);
        return weights;
    }

    private static List<TrainingSequence> Sequences(DecoderArchitecture architecture, int count)
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, count)
            .Select(_ => new TrainingSequence([.. Enumerable.Range(0, Length).Select(_ => random.Next(architecture.VocabularySize))], 8))];
    }

    private static DecoderArchitecture Architecture(bool quick) => new()
    {
        ModelType = "llama", HiddenSize = 512, Layers = quick ? 1 : 8, Heads = 8, KeyValueHeads = 4, HeadSize = 64, IntermediateSize = 1408,
        VocabularySize = quick ? 256 : 4096, MaxPositions = Length, QueryKeyNorm = false, EosTokenId = 0,
    };
}
