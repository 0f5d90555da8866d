using Distill.Pipeline.Runs;
using Distill.Student.Training;
using static TorchSharp.torch;

namespace Distill.Pipeline.Stages;

/// <summary>
/// Tokens per second of a training, and the share of the machine's measured fp32 matrix product rate that they use: 6 operations per
/// parameter and token, attention left out. Depends on the clock, so it goes to metrics and never into an artefact. One thread.
/// </summary>
internal sealed class TrainingSpeed
{
    private const int Side = 768, Products = 6;

    private readonly double operationsPerToken;
    private readonly double productRate; // operations per second
    private long tokens;
    private double seconds;

    public TrainingSpeed(long parameters, TimeProvider clock)
    {
        operationsPerToken = 6.0 * parameters;
        productRate = MeasureProducts(clock);
    }

    /// <summary>Mean over the steps so far.</summary>
    public double TokensPerSecond => seconds > 0 ? tokens / seconds : 0;

    /// <summary>Adds the step's own figures to its values, and the means to what the report shows.</summary>
    public void Add(StepReport report, Dictionary<string, double> values, StageContext context)
    {
        tokens += report.Tokens;
        seconds += report.Seconds;
        if (report.Seconds <= 0) return;
        values["tokens_per_second"] = report.Tokens / report.Seconds;
        values["utilisation"] = values["tokens_per_second"] * operationsPerToken / productRate;
        context.Measure("trainingTokensPerSecond", TokensPerSecond);
        context.Measure("trainingUtilisation", TokensPerSecond * operationsPerToken / productRate);
    }

    private static double MeasureProducts(TimeProvider clock)
    {
        using var scope = NewDisposeScope();
        using var without = no_grad();
        Tensor left = ones(Side, Side), right = ones(Side, Side);
        mm(left, right).Dispose(); // threads and caches are warm afterwards
        long began = clock.GetTimestamp();
        for (int i = 0; i < Products; i++) mm(left, right).Dispose();
        double elapsed = Math.Max(clock.GetElapsedTime(began).TotalSeconds, 1e-9);
        return Products * 2.0 * Side * Side * Side / elapsed;
    }
}
