namespace Distill.Pipeline.Runs;

/// <summary>
/// Watches a run. Calls come from the thread that runs the stages or, for progress, from any thread, one at a time; they must return
/// quickly and not throw.
/// </summary>
public interface IRunObserver
{
    /// <param name="name">Of the run.</param>
    /// <param name="folder">Its folder, absolute.</param>
    void RunStarted(string name, string folder);

    /// <summary>What the run will do and about how long that takes; told once, before the first stage.</summary>
    void Planned(RunPlan plan)
    {
    }

    /// <param name="reason">
    /// Why it is done, e.g. <c>not done yet</c>, <c>sft.epochs: 2 → 3</c>, <c>input traces changed</c>, <c>forced</c>.
    /// </param>
    void StageStarted(string stage, string reason);

    void Progress(string stage, StageProgress progress);

    /// <summary>A measurement of the stage in the making, e.g. the loss of a step; <c>metrics.jsonl</c> has them all.</summary>
    void Metric(string stage, int step, IReadOnlyDictionary<string, double> values);

    /// <param name="summary">One line in words, e.g. <c>3,812 of 4,000 traces kept (wrong 120, truncated 8)</c>.</param>
    void StageFinished(string stage, TimeSpan elapsed, string summary);

    /// <param name="reason">Why nothing had to be done, e.g. <c>unchanged</c> or <c>made before</c>.</param>
    void StageCached(string stage, string reason, string summary);

    void Warning(string message);

    /// <summary>What is worth knowing and no fault, e.g. how long a stage will take.</summary>
    void Note(string message)
    {
    }
}

/// <summary>How far a stage is.</summary>
/// <param name="Done">In units of <paramref name="Unit"/>.</param>
/// <param name="Total">At least <paramref name="Done"/>.</param>
/// <param name="Unit">Plural, e.g. <c>traces</c>, <c>steps</c>.</param>
/// <param name="Detail">What else is worth a glance, e.g. <c>loss 0.123</c> or <c>teacher</c>; may be empty.</param>
/// <param name="Rate">Units of <paramref name="RateUnit"/> per second; 0 when unknown.</param>
/// <param name="RateUnit">e.g. <c>tokens/s</c>.</param>
public readonly record struct StageProgress(
    double Done, double Total, string Unit, string Detail = "", double Rate = 0, string RateUnit = "");
