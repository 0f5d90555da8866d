using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using Distill.Storage;

namespace Distill.Teacher.Remote.Endpoint;

/// <summary>A response that is no answer → the fault to raise.</summary>
internal static class HttpFault
{
    public static RemoteTeacherException Of(HttpResponseMessage response, EndpointError error, ApiKey? key, DateTimeOffset now)
    {
        int status = (int)response.StatusCode;
        string host = response.RequestMessage!.RequestUri!.Host;
        string said = error.Message.Length > 0 ? $" It says: {error.Shown(key)}" : "";
        string hint = status is 400 or 413 or 422 ? RequestHint.Of(error.Message) : "";
        return new RemoteTeacherException(KindOf(status, error), $"{host} answered {status}: {Meaning(status, response, key)}{said}{hint}")
        {
            Status = status,
            RetryAfter = RetryAfterOf(response.Headers.RetryAfter, now),
        };
    }

    private static RemoteFaultKind KindOf(int status, EndpointError error) => status switch
    {
        // OpenAI's word for an empty account: waiting does not fill it
        429 when error.Code == "insufficient_quota" => RemoteFaultKind.Refused,
        429 => RemoteFaultKind.Busy,
        408 => RemoteFaultKind.ServerFault,
        501 or 505 => RemoteFaultKind.Refused,
        >= 500 => RemoteFaultKind.ServerFault,
        >= 300 and < 400 => RemoteFaultKind.Redirected,
        _ => RemoteFaultKind.Refused,
    };

    private static string Meaning(int status, HttpResponseMessage response, ApiKey? key) => status switch
    {
        >= 300 and < 400 =>
            $"it redirects to {TargetOf(response)}, and redirects are not followed. Give the final address if you trust it.",
        401 or 403 when key is null => "it wants an API key. Put one into an environment variable and name that (api_key_env).",
        401 or 403 => $"it does not accept the key in the environment variable {key.Variable}.",
        402 => "the account has no credit left.",
        404 => "there is no such path or model. Check the address (endpoint: does it need /v1?) and the model's name (model).",
        429 => "too many requests or tokens, or no quota. Limits of your account go into requests_per_minute and tokens_per_minute.",
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

/// <summary>What an endpoint says about a request that it did not fulfil.</summary>
/// <param name="Code">e.g. <c>insufficient_quota</c>; empty when there is none.</param>
/// <param name="Message">As sent, so it may repeat the key: shown by <see cref="Shown"/> only.</param>
/// <param name="IsFiltered">A filter of the provider does not let the question through.</param>
internal sealed record EndpointError(string Code, string Message, bool IsFiltered = false)
{
    /// <summary>Longest error body that is read, in bytes.</summary>
    public const int MaxBytes = 64 << 10;

    private const int LongestShown = 300;

    /// <summary>Any body: where it is no error object, nothing is said.</summary>
    public static EndpointError Parse(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 32 });
            return Find(document.RootElement) ?? new("", "");
        }
        catch (JsonException)
        {
            return new("", "");
        }
    }

    /// <summary>The error of an answer, in any of the shapes that servers give it; null when there is none.</summary>
    public static EndpointError? Find(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object) return null;
        if (!root.TryGetProperty("error", out var error) || error.ValueKind == JsonValueKind.Null)
            return root.TryGetProperty("object", out var kind) && kind.ValueKind == JsonValueKind.String && kind.ValueEquals("error")
                ? Of(root)
                : null;
        return error.ValueKind == JsonValueKind.Object ? Of(error) : new EndpointError("", TextOf(error));
    }

    /// <summary>The message for people: without the key, printable, short. In this order, or the start of a cut key would stay.</summary>
    public string Shown(ApiKey? key)
    {
        string text = Printable.Of(string.Concat((key?.Redact(Message) ?? Message).Select(c => c is '\r' or '\n' or '\t' ? ' ' : c)));
        return text.Length <= LongestShown ? text : text[..LongestShown] + "...";
    }

    /// <summary>An error in the place of an answer, or in the middle of one: the status had been sent by then.</summary>
    public RemoteTeacherException InAnswer(ApiKey? key)
    {
        int? status = int.TryParse(Code, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number is >= 400 and < 600
            ? number
            : null;
        bool isRefused = status is >= 400 and < 500 and not (408 or 429);
        var kind = isRefused ? RemoteFaultKind.Refused : status == 429 ? RemoteFaultKind.Busy : RemoteFaultKind.ServerFault;
        string hint = isRefused ? RequestHint.Of(Message) : "";
        return new(kind, $"The endpoint sent an error in its answer{(Message.Length > 0 ? $": {Shown(key)}" : ".")}{hint}")
        {
            Status = status,
        };
    }

    private static EndpointError Of(JsonElement error)
    {
        string code = Field(error, "code");
        if (code.Length == 0) code = Field(error, "type");
        string message = Field(error, "message");
        return new(code, message, FilterWords.Are(code, message) || FilterWords.Are(Inner(error), "") || IsFlagged(error));
    }

    // Azure's name for the filter stands in the inner error.
    private static string Inner(JsonElement error) =>
        error.TryGetProperty("innererror", out var inner) && inner.ValueKind == JsonValueKind.Object ? Field(inner, "code") : "";

    // OpenRouter sends along what was flagged.
    private static bool IsFlagged(JsonElement error) =>
        error.TryGetProperty("metadata", out var metadata) && metadata.ValueKind == JsonValueKind.Object
            && metadata.TryGetProperty("flagged_input", out _);

    private static string Field(JsonElement owner, string name) => owner.TryGetProperty(name, out var value) ? TextOf(value) : "";

    private static string TextOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => JsonText.Of(value),
        JsonValueKind.Number => value.GetRawText(),
        _ => "",
    };
}

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
            throw new RemoteTeacherException(
                RemoteFaultKind.Refused,
                $"No secure connection to {host}: {Reason(fault)}. Check the address and the machine's certificates.");
        }
        catch (Exception fault) when (fault is HttpRequestException or HttpIOException or IOException and not RemoteTeacherException)
        {
            bool isReached = (fault as HttpRequestException)?.HttpRequestError
                is not (HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError);
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
