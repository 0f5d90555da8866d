namespace Distill.Hub;

/// <summary>
/// The Hub did not give or take what was asked. The message names the repository and what to do, and never holds a token. What was
/// received before stays and is used next time.
/// </summary>
public sealed class HubException(HubFault fault, string message, Exception? inner = null) : IOException(message, inner)
{
    public HubFault Fault { get; } = fault;

    /// <summary>How long the Hub asked us to wait; null when it did not say.</summary>
    internal TimeSpan? RetryAfter { get; init; }

    /// <summary>HTTP status; null when there was none.</summary>
    internal int? Status { get; init; }

    /// <summary>Whether the same request may succeed later.</summary>
    internal bool IsTransient => Fault is HubFault.Unreachable or HubFault.Busy or HubFault.ServerFault;
}

/// <summary>What went wrong between us and the Hub. The first three pass by themselves and were tried again already.</summary>
public enum HubFault
{
    /// <summary>No connection, or it broke or stood still.</summary>
    Unreachable,

    /// <summary>429: too much was asked for.</summary>
    Busy,

    /// <summary>408 or a 5xx.</summary>
    ServerFault,

    /// <summary>There is no such repository, or it is private and the token may not see it.</summary>
    NoRepository,

    /// <summary>The repository has terms that somebody has to accept first.</summary>
    Gated,

    /// <summary>The token is wrong, missing, or may not do this.</summary>
    Unauthorized,

    /// <summary>The repository has no such branch, tag or commit.</summary>
    NoRevision,

    /// <summary>The revision has no such file, or none that fits the patterns.</summary>
    NoFile,

    /// <summary>Offline, and the cache does not have it.</summary>
    Offline,

    /// <summary>Twice, what was received is not what the Hub says it should be.</summary>
    WrongDigest,

    /// <summary>The answer cannot be meant: not JSON, a path out of its folder, a redirect to nowhere.</summary>
    BadAnswer,

    /// <summary>Somebody else changed the branch since it was compared.</summary>
    Conflict,

    /// <summary>The request will never be accepted as it is.</summary>
    Refused,

    /// <summary>The disk has no room for it, or what is there must not be replaced.</summary>
    NoPlace,
}
