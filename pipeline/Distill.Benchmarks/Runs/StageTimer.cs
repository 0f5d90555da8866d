using Distill.Pipeline.Runs;

namespace Distill.Benchmarks.Runs;

/// <summary>Adds up the time of the stages of one run.</summary>
internal sealed class StageTimer(Action<string> log) : IRunObserver
{
    public double Seconds { get; private set; }

    public int Done { get; private set; }

    public int Cached { get; private set; }

    public void RunStarted(string name, string folder)
    {
    }

    public void StageStarted(string stage, string reason)
    {
    }

    public void Progress(string stage, StageProgress progress)
    {
    }

    public void Metric(string stage, int step, IReadOnlyDictionary<string, double> values)
    {
    }

    public void StageFinished(string stage, TimeSpan elapsed, string summary)
    {
        log($"    {stage}: {elapsed.TotalSeconds:F1} s");
        Seconds += elapsed.TotalSeconds;
        Done++;
    }

    public void StageCached(string stage, string reason, string summary) => Cached++;

    public void Warning(string message) => log($"    {message}");
}
