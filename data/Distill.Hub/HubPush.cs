namespace Distill.Hub;

/// <summary>How a folder is pushed.</summary>
public sealed record HubPushOptions
{
    /// <summary>Whether a repository that has to be created is private; says nothing of one that exists.</summary>
    public bool IsPrivate { get; init; }

    /// <summary>Title of the commit.</summary>
    public string Message { get; init; } = "Upload with Distill";

    /// <summary>Compare only: nothing is created, sent or committed.</summary>
    public bool IsDryRun { get; init; }

    /// <summary>Which files of the folder; paths relative to it.</summary>
    public HubSelection Selection { get; init; } = HubSelection.All;
}

/// <summary>What a push does to a file of the repository.</summary>
public enum HubChange
{
    New,
    Changed,

    /// <summary>The repository has the same content already; nothing is sent.</summary>
    Unchanged,

    /// <summary>The repository's <c>.gitignore</c> keeps it out.</summary>
    Ignored,
}

/// <param name="Path">In the repository, with slashes.</param>
public sealed record HubPushFile(string Path, long Size, HubChange Change);

/// <summary>What a push did, or would do.</summary>
/// <param name="Reference">Where the files are now: the repository at the commit; of a dry run, what was named.</param>
/// <param name="Files">In order.</param>
/// <param name="Sent">Bytes that were sent.</param>
/// <param name="CreatesRepository">The repository was not there.</param>
/// <param name="Page">Where people look at it.</param>
public sealed record HubPushResult(
    HubReference Reference, IReadOnlyList<HubPushFile> Files, long Sent, bool CreatesRepository, Uri Page);
