using System.Runtime.InteropServices;
using System.Text;
using Distill.Benchmarks.Machines;
using Distill.Generation.Onnx;
using Distill.Pipeline.Diagnosis;
using TorchSharp;

namespace Distill.Benchmarks.Measuring;

/// <summary>The results as Markdown.</summary>
internal static class ResultTable
{
    public static string Write(MachineDescription machine, MachineRates rates, bool quick,
        IEnumerable<(string Benchmark, Figure Figure)> rows)
    {
        var text = new StringBuilder();
        text.Append($"# {machine.Processor}, {machine.Cores} cores\n\n");
        text.Append($"{machine.Date:yyyy-MM-dd} · {machine.Runtime} · ONNX Runtime {machine.OnnxRuntime} · libtorch {machine.Torch}\n\n");
        text.Append($"Copy {rates.Copy.Median:F1} GB/s (read plus written), read {rates.Read.Median:F1} GB/s, ");
        text.Append($"matrix product fp32 {rates.Float32.Median:F0}, bf16 {rates.BFloat16.Median:F0} GFLOP/s, measured in this run.\n");
        text.Append("Variants of a benchmark ran in turns; median (least..most) over the rounds, ratios round by round.\n\n");
        if (quick) text.Append("**`--quick`: the sizes only show that everything runs; the figures mean nothing.**\n\n");
        text.Append("| benchmark | what | to reach | measured | unit | | note |\n|---|---|---|---|---|---|---|\n");
        foreach (var (benchmark, figure) in rows)
        {
            text.Append($"| {benchmark} | {figure.What} | {figure.Target} | {figure.MeasuredText} | {figure.Unit} ");
            text.Append($"| {Word(figure.Outcome)} | {figure.Note} |\n");
        }

        return text.ToString();
    }

    private static string Word(Outcome outcome) => outcome switch
    {
        Outcome.Passed => "passed",
        Outcome.Missed => "not",
        Outcome.NotApplicable => "n.a.",
        _ => "",
    };
}

/// <summary>What the results were measured on and with.</summary>
internal sealed record MachineDescription(string Processor, int Cores, string Runtime, string OnnxRuntime, string Torch, DateOnly Date)
{
    public static MachineDescription Read(TimeProvider clock) => new(
        MachineDiagnosis.ProcessorName(),
        Environment.ProcessorCount,
        RuntimeInformation.FrameworkDescription,
        RuntimeTelemetry.Runtime.GetVersionString(),
        $"{torch.__version__} (TorchSharp {typeof(torch).Assembly.GetName().Version?.ToString(3)})",
        DateOnly.FromDateTime(clock.GetUtcNow().Date));
}
