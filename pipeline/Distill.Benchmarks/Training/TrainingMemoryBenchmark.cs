using Distill.Student.Autograd;
using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using Distill.Architecture;
using Distill.Benchmarks.Exporting;
using Distill.Benchmarks.Measuring;
using Distill.Student.Fused;
using Distill.Student.Model;
using Distill.Student.Supervised;
using Distill.Student.Training;

namespace Distill.Benchmarks.Training;

/// <summary>Memory of a training against its prediction, two sizes, fused passes and autograd.</summary>
internal sealed class TrainingMemoryBenchmark : IBenchmark
{
    private const double Tolerance = 0.2, MegaByte = 1e6;

    public string Name => "training-memory";

    public string Summary => "peak memory of a training against the prediction from its shapes";

    public IReadOnlyList<Figure> Run(BenchmarkContext context) =>
        [.. (context.Quick ? MemoryProbe.Cases.Take(1) : MemoryProbe.Cases).Select(Measure)];

    private static Figure Measure(string name)
    {
        string what = $"{name}, relative difference of prediction and measurement";
        double predicted = MemoryProbe.Predict(name).Total, measured = MemoryProbe.Start(name);
        return measured < 0
            ? Figure.NotApplicable(what, "", "the system does not tell a process's peak memory")
            : Figure.AtMost(what, Tolerance, Series.Of(Math.Abs(predicted / measured - 1)), "",
                $"predicted {predicted / MegaByte:N0} MB, measured {measured / MegaByte:N0} MB");
    }
}

/// <summary>How much memory two training steps add to a process of their own. Sizes go by name: the child builds the same.</summary>
internal static class MemoryProbe
{
    /// <summary>First word of the command line of the child process.</summary>
    public const string Command = "probe-training-memory";

    private const int Tokens = 512, Threads = 2;

    public static IReadOnlyList<string> Cases { get; } =
        ["fused 25M fp32", "fused 25M mixed", "fused 135M mixed", "autograd 25M fp32", "autograd 25M mixed", "autograd 135M checkpointing"];

    /// <summary>What is predicted for a case, in bytes.</summary>
    public static TrainingMemory Predict(string name) => IsFused(name)
        ? TrainingMemory.OfFused(Architecture(name), Precision(name), Threads, Tokens)
        : TrainingMemory.OfAutograd(Architecture(name), Precision(name), Options(name), sharedPrompts: false);

    /// <summary>Starts this program again; bytes added to its resident memory, −1 where the system does not tell.</summary>
    public static long Start(string name)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet") start.ArgumentList.Add(Assembly.GetExecutingAssembly().Location);
        start.ArgumentList.Add(Command);
        start.ArgumentList.Add(name);
        using var child = Process.Start(start) ?? throw new InvalidOperationException("The process that trains did not start.");
        string output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        if (child.ExitCode != 0) throw new InvalidOperationException($"The process that trains ended with {child.ExitCode}.");
        return long.Parse(output, CultureInfo.InvariantCulture);
    }

    /// <summary>The child: two steps of a tiny model bring in libtorch and the code, then two of the case are measured.</summary>
    public static long Run(string name)
    {
        Train(name, Architecture(name) with { HiddenSize = 64, Layers = 1, VocabularySize = 64 });
        long before = ProcessMemory.Peak();
        Train(name, Architecture(name));
        return before < 0 ? -1 : ProcessMemory.Peak() - before;
    }

    private static void Train(string name, DecoderArchitecture architecture)
    {
        using var parameters = new FlatParameters(architecture);
        parameters.Initialize(1);
        using IGradientModel model = IsFused(name)
            ? new FusedGradientModel(parameters, Precision(name), Threads, Tokens)
            : new AutogradGradientModel(parameters, Precision(name), options: Options(name));
        using var optimizer = new AdamW(parameters, new AdamWOptions());
        var sequences = Enumerable.Range(0, Threads)
            .Select(s => new TrainingSequence([.. Enumerable.Range(s, Tokens).Select(i => i % architecture.VocabularySize)], 1)).ToList();
        var loss = new CrossEntropy(sequences.Sum(sequence => (long)sequence.SupervisedCount));
        for (int step = 0; step < 2; step++)
        {
            model.Differentiate(sequences, loss);
            optimizer.Update(model.Gradient, 1e-4);
        }
    }

    private static bool IsFused(string name) => name.StartsWith("fused", StringComparison.Ordinal);

    private static AutogradOptions Options(string name) =>
        new(Tokens, Threads, Checkpointing: name.EndsWith("checkpointing", StringComparison.Ordinal));

    private static MatmulPrecision Precision(string name) =>
        name.EndsWith("fp32", StringComparison.Ordinal) ? MatmulPrecision.Fp32 : MatmulPrecision.Mixed;

    private static DecoderArchitecture Architecture(string name) => name.Contains("135M", StringComparison.Ordinal)
        ? Llama(hidden: 576, layers: 30, heads: 9, keyHeads: 3, wide: 1536, vocabulary: 49152)
        : Llama(hidden: 512, layers: 8, heads: 8, keyHeads: 4, wide: 1408, vocabulary: 4096);

    private static DecoderArchitecture Llama(int hidden, int layers, int heads, int keyHeads, int wide, int vocabulary) => new()
    {
        ModelType = "llama", HiddenSize = hidden, Layers = layers, Heads = heads, KeyValueHeads = keyHeads, HeadSize = 64,
            IntermediateSize = wide,
        VocabularySize = vocabulary, MaxPositions = Tokens, QueryKeyNorm = false, EosTokenId = 0,
    };
}
