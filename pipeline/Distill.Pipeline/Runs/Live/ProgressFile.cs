using System.Text.Json;
using Distill.Pipeline.Recipes;
using Distill.Storage;

namespace Distill.Pipeline.Runs.Live;

internal enum StageStanding
{
    /// <summary>Nobody came to it yet.</summary>
    Waiting,

    /// <summary>At work; of a run that nobody holds any more, interrupted.</summary>
    Running,

    Done,

    /// <summary>Finished before, by this run or another.</summary>
    Cached,
}

/// <summary>A stage of a run, as far as it is.</summary>
internal sealed record StageProgressEntry(string Name, StageStanding Standing)
{
    /// <summary>Why it was done, or why nothing had to be done; null before.</summary>
    public string? Reason { get; init; }

    /// <summary>What came out, in one line; null before its end.</summary>
    public string? Summary { get; init; }

    public DateTimeOffset? Started { get; init; }

    /// <summary>That it took; null where this process did not do it to its end.</summary>
    public double? Seconds { get; init; }

    /// <summary>The newest that was said of it; null before.</summary>
    public StageProgress? Progress { get; init; }

    /// <summary>Until its end, by its own speed so far; null while that is unknown.</summary>
    public double? SecondsLeft { get; init; }
}

/// <summary>
/// <c>progress.json</c>: how far a run is, written by whoever does it and read by whoever looks at it from outside. It decides nothing:
/// what is finished is said by the links into the store.
/// </summary>
/// <param name="Started">When the process began that wrote this.</param>
/// <param name="Stages">All that the run needs, in their order.</param>
internal sealed record ProgressFile(
    int Format, DateTimeOffset Started, DateTimeOffset Updated, IReadOnlyList<StageProgressEntry> Stages)
{
    public const string FileName = "progress.json";

    public const int CurrentFormat = 1;

    private const int MaxBytes = 1 << 20;

    /// <summary>Until the end of the run, by what its plan expects of each stage and how those before kept to it; null where nothing is
    /// known.</summary>
    public double? SecondsLeft { get; init; }

    /// <summary>The stage at work; null between stages.</summary>
    public StageProgressEntry? Current() => Stages.FirstOrDefault(stage => stage.Standing == StageStanding.Running);

    /// <summary>Null where there is none that this version can read.</summary>
    public static ProgressFile? TryRead(string folder)
    {
        var file = new FileInfo(Path.Combine(folder, FileName));
        if (!file.Exists || file.Length > MaxBytes) return null;
        try
        {
            var read = JsonSerializer.Deserialize<ProgressFile>(File.ReadAllBytes(file.FullName), CanonicalJson.Spelling);
            return read is { Format: CurrentFormat, Stages: not null } ? read : null;
        }
        catch (Exception fault) when (fault is JsonException or FileNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Whole for every reader; not flushed to disk, since after a power failure nobody asks how far it was.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public void Write(string folder)
    {
        string path = Path.Combine(folder, FileName);
        using var temporary = TemporaryFile.Create(path);
        JsonSerializer.Serialize(temporary, this, CanonicalJson.Spelling);
        temporary.Flush();
        File.Move(temporary.Name, path, overwrite: true);
    }
}
