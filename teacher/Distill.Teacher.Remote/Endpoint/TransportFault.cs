using System.Net.Sockets;

namespace Distill.Teacher.Remote.Endpoint;

/// <summary>Faults of the connection → ours, named by the host.</summary>
internal static class TransportFault
{
    public static async Task<T> Named<T>(string host, Func<Task<T>> work)
    {
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (HttpRequestException fault) when (fault.InnerException is RemoteTeacherException own)
        {
            throw own; // from the connection's own check
        }
        catch (HttpRequestException fault) when (fault.HttpRequestError == HttpRequestError.SecureConnectionError)
        {
            throw new RemoteTeacherException(RemoteFaultKind.Refused, $"No secure connection to {host}: {Reason(fault)}. Check the address and the machine's certificates.");
        }
        catch (Exception fault) when (fault is HttpRequestException or HttpIOException or IOException and not RemoteTeacherException)
        {
            bool isReached = fault is not HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError };
            throw isReached
                ? new RemoteTeacherException(RemoteFaultKind.Damaged, $"{host} broke its answer off.")
                : new RemoteTeacherException(RemoteFaultKind.Unreachable, $"{host} cannot be reached: {Reason(fault)}.");
        }
    }

    private static string Reason(Exception fault)
    {
        while (fault.InnerException is { } inner && fault is not SocketException) fault = inner;
        return fault.Message.TrimEnd('.');
    }
}
