using Distill.Pipeline.Runs;

namespace Distill.Pipeline.Tests.Testing;

/// <summary>Notes which stages were done and which were not.</summary>
internal sealed class RecordingObserver : IRunObserver
{
    private readonly List<(string Stage, string Reason)> done = [];
    private readonly List<(string Stage, string Reason)> cached = [];
    private readonly List<string> warnings = [];
    private readonly List<string> notes = [];

    public IEnumerable<string> Done => done.Select(stage => stage.Stage);

    public IEnumerable<string> Cached => cached.Select(stage => stage.Stage);

    public IReadOnlyList<string> Warnings => warnings;

    /// <summary>What each stage that was done said of its result.</summary>
    public Dictionary<string, string> Summaries { get; } = [];

    public IReadOnlyList<string> Notes => notes;

    public List<RunPlan> Plans { get; } = [];

    public void Planned(RunPlan plan) => Plans.Add(plan);

    public string ReasonOf(string stage) => done.Concat(cached).Last(entry => entry.Stage == stage).Reason;

    public void RunStarted(string name, string folder)
    {
    }

    public void StageStarted(string stage, string reason) => done.Add((stage, reason));

    public void Progress(string stage, StageProgress progress)
    {
        progress.Done.ShouldBeLessThanOrEqualTo(progress.Total + 1e-9);
    }

    /// <summary>Told every step of a training.</summary>
    public Action<int>? AfterStep { get; init; }

    public void Metric(string stage, int step, IReadOnlyDictionary<string, double> values) => AfterStep?.Invoke(step);

    public void StageFinished(string stage, TimeSpan elapsed, string summary)
    {
        summary.ShouldNotBeEmpty();
        Summaries[stage] = summary;
    }

    public void StageCached(string stage, string reason, string summary) => cached.Add((stage, reason));

    public void Warning(string message) => warnings.Add(message);

    public void Note(string message) => notes.Add(message);
}
