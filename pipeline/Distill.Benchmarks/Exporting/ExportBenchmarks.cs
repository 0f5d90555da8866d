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
            Figure.AtMost("read checkpoint tensor by tensor, write model folder", 3, Series.Of(probes, probe => probe.Seconds),
                "s", $"{context.Large.Name}; flushed to disk, digests included; a process of its own, its start left out"),
            Memory(probes),
        ];
    }

    // Of all weights in fp32 there are 538 MB, of which the embedding has 113.
    private static Figure Memory(IReadOnlyList<ExportProbe> probes)
    {
        const string what = "peak memory of the process";
        const double limit = 300;
        if (probes.Any(probe => probe.PeakBytes < 0)) return Figure.NotApplicable(what, $"≤ {limit}", "the system does not tell the peak");
        return Figure.AtMost(what, limit, Series.Of(probes, probe => probe.PeakBytes / Megabyte), "MB",
            $".NET itself included; the weights in fp32 have {probes[0].WeightBytes / Megabyte:F0} MB");
    }
}

/// <summary>What one export in a process of its own took.</summary>
/// <param name="Seconds">Opening the checkpoint, reading, widening and writing it, flushed, digests included.</param>
/// <param name="WeightBytes">Of all weights as fp32.</param>
/// <param name="PeakBytes">Most memory of the process; −1 when the system does not tell.</param>
internal sealed record ExportProbe(double Seconds, long WeightBytes, long PeakBytes)
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
        using var opened = checkpoint.OpenWeights();
        ModelPackage.Write(target, opened.Weights, LargeModel.TokenizerOf(checkpoint), LargeModel.Description);
        double seconds = clock.GetElapsedTime(began).TotalSeconds;
        return JsonSerializer.Serialize(
            new ExportProbe(seconds, checkpoint.Architecture.ParameterCount * sizeof(float), ProcessMemory.Peak()));
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
