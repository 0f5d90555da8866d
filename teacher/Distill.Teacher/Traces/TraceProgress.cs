namespace Distill.Teacher;

/// <summary>How far a collection is: counts of this run (<see cref="Traces"/> includes parts that were finished before).</summary>
public readonly record struct TraceProgress(int Traces, int TotalTraces, long TokensGenerated, TimeSpan Elapsed)
{
    /// <summary>Completion tokens per second in this run.</summary>
    public double TokensPerSecond => Elapsed > TimeSpan.Zero ? TokensGenerated / Elapsed.TotalSeconds : 0;
}
