using TorchSharp;
using TorchSharp.Modules;

namespace Distill.Pipeline.Runs;

/// <summary>
/// Event files that TensorBoard shows: one folder per stage below <c>tensorboard/</c>, made when the stage's first measurement comes. A
/// continued run adds a file; steps that were done again are there twice. Every value is
/// written at once and no file stays open. Not thread-safe.
/// </summary>
internal sealed class TensorBoardLog(string folder)
{
    private readonly Dictionary<string, SummaryWriter> writers = [];

    public void Add(string stage, int step, IReadOnlyDictionary<string, double> values)
    {
        if (!writers.TryGetValue(stage, out var writer))
        {
            string path = Path.Combine(folder, stage.Replace('/', '-'));
            Directory.CreateDirectory(path);
            writers[stage] = writer = torch.utils.tensorboard.SummaryWriter(path, createRunName: false);
        }

        foreach (var (name, value) in values)
        {
            if (double.IsFinite(value)) writer.add_scalar(name, (float)value, step);
        }
    }
}
