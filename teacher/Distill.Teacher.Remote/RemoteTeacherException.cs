namespace Distill.Teacher.Remote;

/// <summary>
/// A remote teacher did not answer. The message says what to do and never holds a key; what an endpoint says is cut short and cleaned of
/// it before it gets here. Never thrown for what a model says: bad output is data.
/// </summary>
public sealed class RemoteTeacherException(RemoteFaultKind kind, string message, Exception? inner = null) : IOException(message, inner)
{
    public RemoteFaultKind Kind { get; } = kind;

    /// <summary>HTTP status; null when there was none.</summary>
    public int? Status { get; init; }

    /// <summary>How long the endpoint asked us to wait; null when it did not say.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Whether the same request may succeed later.</summary>
    public bool IsTransient => Kind is RemoteFaultKind.Unreachable or RemoteFaultKind.Busy or RemoteFaultKind.ServerFault
        or RemoteFaultKind.TimedOut or RemoteFaultKind.Damaged or RemoteFaultKind.CircuitOpen;
}

/// <summary>What went wrong between us and a remote teacher. The first five pass by themselves and are worth another try.</summary>
public enum RemoteFaultKind
{
    /// <summary>No connection, or it broke.</summary>
    Unreachable,

    /// <summary>429: too much was asked for.</summary>
    Busy,

    /// <summary>408, a 5xx, or an error sent in the middle of an answer.</summary>
    ServerFault,

    /// <summary>No whole answer within the attempt's time.</summary>
    TimedOut,

    /// <summary>The answer broke off or is not JSON.</summary>
    Damaged,

    /// <summary>The endpoint kept failing and is left alone for a while.</summary>
    CircuitOpen,

    /// <summary>The request will never be accepted as it is: wrong key, wrong model, wrong option.</summary>
    Refused,

    /// <summary>The endpoint sends us elsewhere; we do not go.</summary>
    Redirected,

    /// <summary>The endpoint lies in a network that it may not lie in.</summary>
    ForbiddenAddress,

    /// <summary>The answer is larger than allowed.</summary>
    TooLarge,

    /// <summary>The token ids of an answer are not those of the tokenizer at hand.</summary>
    OtherTokens,
}
