using System.Text.Json;
using Distill.Data.Telemetry;
using Distill.Pipeline.Recipes;
using Distill.Storage;

namespace Distill.Pipeline.Runs;

internal enum RunProgress
{
    /// <summary>A process works on it, or did until it was killed.</summary>
    Running,

    /// <summary>Stopped by its user, or by the end of its process: it can be continued.</summary>
    Stopped,

    /// <summary>Ended by a fault.</summary>
    Failed,

    /// <summary>It reached its goal.</summary>
    Finished,
}

/// <summary>What a run's exit code says beyond <see cref="RunProgress"/>, for who was not there to see it.</summary>
internal enum RunVerdict
{
    /// <summary>A gate refused: parity, or its promotion.</summary>
    Refused,

    /// <summary>It ended by itself before there was a model: nothing new to learn from, or other shards are not done.</summary>
    EndedEarly,
}

/// <summary>
/// <c>run.json</c>: what makes a folder a run of ours, and how the run is doing. What is finished is not said here but by the
/// links into the store.
/// </summary>
/// <param name="Goal">Stage that the run was asked to end with; null for the report.</param>
/// <param name="Folder">Where the run lay when it was last run, absolute: relative paths of its recipe were written for that place.</param>
/// <param name="Reason">Why it failed or stopped, in one line; null otherwise.</param>
/// <param name="Changed">When this was last written.</param>
internal sealed record RunState(int Format, RunProgress Progress, string? Goal, string Folder, string? Reason, DateTimeOffset Changed)
{
    public const string FileName = "run.json";

    public const int CurrentFormat = 1;

    /// <summary>Null where <see cref="Progress"/> says all.</summary>
    public RunVerdict? Verdict { get; init; }

    /// <summary>With which devices it is made where several machines do it; null elsewhere.</summary>
    public string? Devices { get; init; }

    /// <summary>Room on the disk that is given up for the last word of a run.</summary>
    public const string ReserveName = ".reserve";

    private const int LongestReason = 600, MaxBytes = 1 << 16, ReservedBytes = 16 << 10;

    /// <summary>Null when the folder is no run of ours.</summary>
    public static RunState? TryRead(string folder)
    {
        if (OptionalFile.TryRead(Path.Combine(folder, FileName), MaxBytes) is not { } text) return null;
        try
        {
            var state = JsonSerializer.Deserialize<RunState>(text, CanonicalJson.Spelling);
            return state is { Format: CurrentFormat } ? state : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Takes the room without which nobody could note that the disk is full.</summary>
    public static void Reserve(string folder) => ReplacedFile.Write(Path.Combine(folder, ReserveName), new byte[ReservedBytes]);

    /// <summary>Gives the room back that was not needed.</summary>
    public static void Release(string folder) => File.Delete(Path.Combine(folder, ReserveName));

    /// <summary>
    /// The last word of a run that ends with a fault, into the room that was reserved where there is no other. Where the disk refuses even
    /// that, the fault itself is what counts.
    /// </summary>
    public void WriteLast(string folder)
    {
        try
        {
            Release(folder);
            Write(folder);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // What is there says that it runs; that no process does, shows.
        }
    }

    public void Write(string folder)
    {
        string? said = Reason is null ? null : SecretValues.OfProcess.Without(Reason); // what others said may be in it
        var kept = this with { Reason = said?.Length > LongestReason ? said[..LongestReason] + "…" : said };
        ReplacedFile.Write(Path.Combine(folder, FileName), JsonSerializer.SerializeToUtf8Bytes(kept, CanonicalJson.Spelling));
    }
}
