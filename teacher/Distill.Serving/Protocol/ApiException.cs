namespace Distill.Serving.Protocol;

/// <summary>A request that is answered with an error.</summary>
/// <param name="status">HTTP status.</param>
/// <param name="type">As OpenAI names kinds of errors, e.g. <c>invalid_request_error</c>.</param>
/// <param name="parameter">The parameter that is wrong; null where none is.</param>
internal sealed class ApiException(int status, string type, string message, string? parameter = null, string? code = null) : Exception(message)
{
    public int Status => status;

    public string Type => type;

    public string? Parameter => parameter;

    public string? Code => code;

    public static ApiException Invalid(string? parameter, string message, string? code = null) =>
        new(400, "invalid_request_error", message, parameter, code);

    public static ApiException Busy() => new(429, "rate_limit_error", "The server is busy: its queue is full. Try again later.", code: "queue_full");

    public ErrorBody ToBody() => new(new ErrorDetail(Message, Type, Parameter, Code));
}
