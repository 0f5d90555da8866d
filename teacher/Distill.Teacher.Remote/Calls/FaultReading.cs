using Polly.CircuitBreaker;
using Polly.Timeout;

namespace Distill.Teacher.Remote.Calls;

/// <summary>Exceptions of any chat client → what they mean to us.</summary>
internal static class FaultReading
{
    /// <summary>Ours as it is; what <see cref="HttpClient"/> and Polly throw, translated; anything else is not ours to judge: null.</summary>
    public static RemoteTeacherException? Read(Exception? exception, CallOptions options) => exception switch
    {
        RemoteTeacherException own => own,
        TimeoutRejectedException => new(RemoteFaultKind.TimedOut, $"The teacher gave no whole answer within {options.AttemptTimeout.TotalSeconds:0} s (attempt timeout)."),
        BrokenCircuitException => new(
            RemoteFaultKind.CircuitOpen, $"The teacher failed most of the last attempts and is left alone for {options.BreakerPause.TotalSeconds:0} s.", exception),
        HttpRequestException { StatusCode: { } status } fault => OfStatus((int)status, fault),
        HttpRequestException or HttpIOException => new(RemoteFaultKind.Unreachable, exception.Message, exception),
        _ => null,
    };

    private static RemoteTeacherException OfStatus(int status, Exception fault) =>
        new(status == 429 ? RemoteFaultKind.Busy : status is 408 or >= 500 ? RemoteFaultKind.ServerFault : RemoteFaultKind.Refused, fault.Message, fault) { Status = status };
}
