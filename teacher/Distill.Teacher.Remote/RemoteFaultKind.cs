namespace Distill.Teacher.Remote;

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
}
