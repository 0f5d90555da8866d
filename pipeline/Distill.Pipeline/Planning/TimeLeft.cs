using Distill.Pipeline.Runs;

namespace Distill.Pipeline.Planning;

/// <summary>
/// How long a run still takes: what was predicted for the stages that have not begun, corrected by how the finished ones kept to their
/// predictions, and the progress of the stage at work. Told of everything by one thread at a time.
/// </summary>
internal sealed class TimeLeft
{
    // The plan counts as if a tenth of it had been done already, in the time predicted: a small stage moves it little.
    private const double Assumed = 0.1, MostCorrection = 10;

    private readonly TimeProvider clock;
    private readonly Dictionary<string, double> open;
    private double planned, predicted, taken, atWork, before = -1, done;
    private long began, seen;

    public TimeLeft(RunPlan plan, TimeProvider clock)
    {
        this.clock = clock;
        open = plan.Stages.Where(stage => stage.Seconds is not null).ToDictionary(stage => stage.Name, stage => stage.Seconds!.Value);
        planned = open.Values.Sum();
        began = clock.GetTimestamp();
    }

    /// <summary>Null where nothing was predicted.</summary>
    public TimeSpan? Now
    {
        get
        {
            if (predicted + atWork + open.Count == 0) return null;
            double assumed = Assumed * planned;
            double factor = predicted + assumed > 0
                ? Math.Clamp((taken + assumed) / (predicted + assumed), 1 / MostCorrection, MostCorrection) : 1;
            return TimeSpan.FromSeconds((factor * open.Values.Sum()) + StageLeft(factor));
        }
    }

    public void Begin(string stage)
    {
        open.Remove(stage, out atWork);
        (began, before, done) = (clock.GetTimestamp(), -1, 0);
    }

    public void See(StageProgress progress)
    {
        done = progress.Total > 0 ? Math.Clamp(progress.Done / progress.Total, 0, 1) : 0;
        if (before < 0) (before, seen) = (done, clock.GetTimestamp()); // what an earlier process did says nothing of our speed
    }

    public void End(TimeSpan elapsed)
    {
        if (atWork > 0) (predicted, taken) = (predicted + atWork, taken + elapsed.TotalSeconds);
        (atWork, before, done) = (0, -1, 0);
    }

    /// <summary>A stage turned out to be finished.</summary>
    public void Skip(string stage)
    {
        if (open.Remove(stage, out double seconds)) planned -= seconds;
    }

    // The further it is, and the more of the predicted time is over, the more its own pace counts against the prediction.
    private double StageLeft(double factor)
    {
        double elapsed = clock.GetElapsedTime(began).TotalSeconds, byPlan = Math.Max(0, (factor * atWork) - elapsed);
        double own = before < 0 ? 0 : done - before;
        double paced = before < 0 ? 0 : clock.GetElapsedTime(seen).TotalSeconds; // without what it took to open
        if (own <= 0 || paced < 1) return byPlan;
        double over = factor * atWork > 0 ? elapsed / (factor * atWork) : 1;
        double trust = Math.Min(1, Math.Max(4 * own, over)), byPace = paced * (1 - done) / own;
        return (trust * byPace) + ((1 - trust) * byPlan);
    }
}
