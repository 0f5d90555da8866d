using System.Globalization;
using Distill.Generation.Onnx;
using Microsoft.ML.OnnxRuntime;

namespace Distill.Generation.Torch.Sessions;

/// <summary>
/// The options of a session's runs. Where the CUDA provider records runs and repeats them, each shape needs a number of its own, and so
/// does each session, whose addresses are others; prompts, which have any shape, are not recorded. Elsewhere the entries mean nothing and
/// are left out. Untried on a card so far.
/// </summary>
internal sealed class StepRuns
{
    private const string GraphNumber = "gpu_graph_id", NotRecorded = "-1";

    // The provider keeps what it recorded as long as the model is open, so no number is given twice.
    private static int s_last;

    private readonly RunCancellation cancellation;
    private readonly RunOptions?[]? steps; // by number of rows

    public StepRuns(RunCancellation cancellation, bool capturesGraphs, int slots)
    {
        this.cancellation = cancellation;
        steps = capturesGraphs ? new RunOptions?[slots + 1] : null;
        Prompt = capturesGraphs ? cancellation.With(GraphNumber, NotRecorded) : cancellation.Options;
    }

    public RunOptions Prompt { get; }

    public RunOptions Step(int rows) => steps is null ? cancellation.Options
        : steps[rows] ??= cancellation.With(GraphNumber, Interlocked.Increment(ref s_last).ToString(CultureInfo.InvariantCulture));
}
