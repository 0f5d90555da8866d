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
