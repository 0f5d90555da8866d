using System.Net.Http.Headers;

namespace Distill.Teacher.Remote.Endpoint;

/// <summary>A response that is no answer → the fault to raise.</summary>
internal static class HttpFault
{
    public static RemoteTeacherException Of(HttpResponseMessage response, ErrorBody error, ApiKey? key, DateTimeOffset now)
    {
        int status = (int)response.StatusCode;
        string host = response.RequestMessage!.RequestUri!.Host;
        string said = error.Message.Length > 0 ? $" It says: {error.Shown(key)}" : "";
        return new RemoteTeacherException(KindOf(status, error), $"{host} answered {status}: {Meaning(status, response, key)}{said}")
        {
            Status = status,
            RetryAfter = RetryAfterOf(response.Headers.RetryAfter, now),
        };
    }

    private static RemoteFaultKind KindOf(int status, ErrorBody error) => status switch
    {
        429 when error.Code == "insufficient_quota" => RemoteFaultKind.Refused, // OpenAI's word for an empty account: waiting does not fill it
        429 => RemoteFaultKind.Busy,
        408 => RemoteFaultKind.ServerFault,
        501 or 505 => RemoteFaultKind.Refused,
        >= 500 => RemoteFaultKind.ServerFault,
        >= 300 and < 400 => RemoteFaultKind.Redirected,
        _ => RemoteFaultKind.Refused,
    };

    private static string Meaning(int status, HttpResponseMessage response, ApiKey? key) => status switch
    {
        >= 300 and < 400 => $"it redirects to {TargetOf(response)}, and redirects are not followed. Give the final address if you trust it.",
        401 or 403 when key is null => "it wants an API key. Put one into an environment variable and name that (api_key_env).",
        401 or 403 => $"it does not accept the key in the environment variable {key.Variable}.",
        402 => "the account has no credit left.",
        404 => "there is no such path or model. Check the address (does it need /v1?) and the model's name.",
        429 => "too many requests or tokens, or no quota.",
        >= 500 => "the server failed.",
        _ => "it does not accept the request.",
    };

    // The host alone: a path or a query may hold what should not be printed.
    private static string TargetOf(HttpResponseMessage response) => response.Headers.Location switch
    {
        null => "nowhere",
        { IsAbsoluteUri: true } location => $"{location.Scheme}://{location.IdnHost}",
        _ => "another path",
    };

    private static TimeSpan? RetryAfterOf(RetryConditionHeaderValue? header, DateTimeOffset now)
    {
        var wait = header?.Delta ?? (header?.Date is { } date ? date - now : null);
        return wait is { } value ? (value > TimeSpan.Zero ? value : TimeSpan.Zero) : null;
    }
}
