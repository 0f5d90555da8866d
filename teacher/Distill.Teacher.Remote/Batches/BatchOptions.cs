namespace Distill.Teacher.Remote.Batches;

/// <summary>How batches are made and waited for. None of it changes what a completion is.</summary>
internal sealed record BatchOptions
{
    /// <summary>Most requests of one batch; what the service allows is never exceeded. Default: that.</summary>
    public int MostRequests { get; init; } = int.MaxValue;

    /// <summary>Times that requests are submitted whose lines failed, expired or are missing. Default 3.</summary>
    public int Rounds { get; init; } = 3;

    /// <summary>Wait before the second look at a batch; it grows by half to <see cref="LongestPoll"/>. Default 15 s.</summary>
    public TimeSpan FirstPoll { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Default 5 min.</summary>
    public TimeSpan LongestPoll { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Age at which a batch is no longer waited for: its day is long over. Default 48 h.</summary>
    public TimeSpan LongestWait { get; init; } = TimeSpan.FromHours(48);

    /// <summary>
    /// Looks for a batch whose creation was cut off before it counts as never submitted: lists may lag behind. Default 4.
    /// </summary>
    public int Looks { get; init; } = 4;

    /// <summary>Between these looks. Default 30 s.</summary>
    public TimeSpan LookPause { get; init; } = TimeSpan.FromSeconds(30);
}

/// <summary>How far the batches are.</summary>
/// <param name="Done">Requests answered or failed.</param>
/// <param name="Batches">Batches that are waited for.</param>
internal readonly record struct BatchProgress(int Done, int Total, int Batches);
