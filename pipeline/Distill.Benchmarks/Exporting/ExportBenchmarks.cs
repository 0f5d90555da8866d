using System.Diagnostics;
using System.Reflection;
using System.Text.Json;
using Distill.Architecture;
using Distill.Benchmarks.Measuring;
using Distill.Benchmarks.Workloads;
using Distill.Export.Package;
using Distill.Export.Parity;
using Distill.Tokenization;
using TorchSharp;

namespace Distill.Benchmarks.Exporting;

internal sealed class ExportBenchmark : IBenchmark
{
    private const double Megabyte = 1e6;

    public string Name => "export";

    public string Summary => "seconds and peak memory of exporting the large model in fp32";

    public IReadOnlyList<Figure> Run(BenchmarkContext context)
    {
        var checkpoint = context.Large.RequireCheckpoint();
        var probes = Interleaving.Run<ExportProbe>(context.Quick ? 1 : 5, () => ExportProbe.Start(checkpoint.Folder))[0];
        return
        [
            Figure.AtMost("read checkpoint, write model folder", 3, Series.Of(probes, probe => probe.ReadSeconds + probe.WriteSeconds),
                "s", $"{context.Large.Name}; a process of its own, its start left out"),
            Figure.Plain("of which reading", Series.Of(probes, probe => probe.ReadSeconds), "s"),
            Figure.Plain("of which writing, flushed to disk, digests included", Series.Of(probes, probe => probe.WriteSeconds), "s"),
            Memory("peak memory beyond the weights", probes, probe => probe.WritePeakBytes, "while writing; .NET itself included"),
            Memory(
                "peak memory beyond the weights, reading included", probes, probe => probe.WholePeakBytes, "from the start of the process"),
        ];
    }

    private static Figure Memory(string what, IReadOnlyList<ExportProbe> probes, Func<ExportProbe, long> peak, string note)
    {
        const double limit = 300;
        if (probes.Any(probe => peak(probe) < 0)) return Figure.NotApplicable(what, $"≤ {limit}", "the system does not tell the peak");
        return Figure.AtMost(what, limit, Series.Of(probes, probe => (peak(probe) - probe.WeightBytes) / Megabyte), "MB", note);
    }
}

/// <summary>What one export in a process of its own took.</summary>
/// <param name="ReadSeconds">Reading the checkpoint and widening it to fp32.</param>
/// <param name="WriteSeconds">Writing the model folder, flushed, digests included.</param>
/// <param name="WeightBytes">fp32 weights held meanwhile.</param>
/// <param name="WholePeakBytes">Most memory of the process, reading included; −1 when the system does not tell.</param>
/// <param name="WritePeakBytes">Most memory while the folder was written; −1 when the system does not tell.</param>
internal sealed record ExportProbe(double ReadSeconds, double WriteSeconds, long WeightBytes, long WholePeakBytes, long WritePeakBytes)
{
    /// <summary>First word of the command line of the child process.</summary>
    public const string Command = "probe-export";

    /// <summary>Starts this program again for one export.</summary>
    public static ExportProbe Start(string checkpoint)
    {
        using var target = new TemporaryFolder();
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet") start.ArgumentList.Add(Assembly.GetExecutingAssembly().Location);
        foreach (string argument in (string[])[Command, checkpoint, target.Path]) start.ArgumentList.Add(argument);
        using var child = Process.Start(start) ?? throw new InvalidOperationException("The process that exports did not start.");
        string output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        if (child.ExitCode != 0) throw new InvalidOperationException($"The process that exports ended with {child.ExitCode}.");
        return JsonSerializer.Deserialize<ExportProbe>(output)!;
    }

    /// <summary>The child: exports and gives the figures as JSON.</summary>
    public static string Run(string folder, string target, TimeProvider clock)
    {
        long began = clock.GetTimestamp();
        var checkpoint = Checkpoint.Open(folder);
        var weights = checkpoint.LoadWeights();
        double read = clock.GetElapsedTime(began).TotalSeconds;
        long whole = ProcessMemory.Peak();
        bool reset = ProcessMemory.TryResetPeak();
        began = clock.GetTimestamp();
        ModelPackage.Write(target, weights, LargeModel.TokenizerOf(checkpoint), LargeModel.Description);
        double write = clock.GetElapsedTime(began).TotalSeconds;
        long peak = ProcessMemory.Peak();
        GC.KeepAlive(weights);
        return JsonSerializer.Serialize(
            new ExportProbe(read, write, checkpoint.Architecture.ParameterCount * sizeof(float), Math.Max(whole, peak), reset ? peak : -1));
    }
}

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
            new ParityInputs { Sequences = asked, Prompts = asked, MaxNewTokens = tokens, StopTokens = encoder.EndTokens },
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
