using System.Net.Mime;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Distill.Teacher.Remote.Calls;
using Distill.Teacher.Remote.Endpoint;
using Distill.Teacher.Remote.Network;

namespace Distill.Teacher.Remote.Batches;

/// <summary>
/// The few calls that batch interfaces are made of: guarded connections, bounded answers, faults of ours. Reading is repeated with
/// patience; what creates something is sent once. Thread-safe. Disposing it closes its connections.
/// </summary>
/// <param name="authorize">Puts the key into a request.</param>
internal sealed class BatchHttp(
    EndpointOptions endpoint, CallOptions calls, ApiKey? key, TimeProvider clock, Action<HttpRequestMessage> authorize) : IDisposable
{
    // Statuses and lists; results come line by line.
    private const long MostBytes = 64 << 20;

    private readonly string address = endpoint.Address.TrimEnd('/');
    private readonly HttpClient http = new(GuardedConnection.CreateHandler(endpoint.Network)) { Timeout = Timeout.InfiniteTimeSpan };

    public string Host { get; } = new Uri(endpoint.Address).Host;

    public void Dispose() => http.Dispose();

    /// <exception cref="RemoteTeacherException">The attempts are used up, or another cannot help.</exception>
    public Task<JsonElement> GetAsync(string path, CancellationToken cancellation) =>
        RepeatAsync(() => SendAsync(HttpMethod.Get, path, null, null, cancellation), cancellation);

    /// <summary>One attempt.</summary>
    public Task<JsonElement> PostAsync(string path, HttpContent content, string? name, CancellationToken cancellation) =>
        SendAsync(HttpMethod.Post, path, content, name, cancellation);

    /// <summary>Tries again what failed for a passing reason, with growing waits or the server's own.</summary>
    public async Task<T> RepeatAsync<T>(Func<Task<T>> attempt, CancellationToken cancellation)
    {
        for (int failed = 0; ; failed++)
        {
            try
            {
                return await attempt().ConfigureAwait(false);
            }
            catch (RemoteTeacherException fault) when (fault.IsTransient && failed < calls.Retries
                && !(fault.RetryAfter > calls.LongestRetryAfter))
            {
                await PauseAsync(failed, fault.RetryAfter, cancellation).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Waits before another attempt.</summary>
    /// <param name="failed">Attempts before that failed, the last one not counted.</param>
    public Task PauseAsync(int failed, TimeSpan? asked, CancellationToken cancellation)
    {
        var wait = asked ?? calls.FirstDelay * Math.Pow(2, Math.Min(failed, 20));
        return Task.Delay(asked is null && wait > calls.LongestDelay ? calls.LongestDelay : wait, clock, cancellation);
    }

    /// <summary>Lines of an answer, one attempt; none is longer than an answer may be.</summary>
    public async IAsyncEnumerable<byte[]> LinesAsync(string path, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var limit = new AttemptLimit(calls, clock, cancellation);
        using var request = new HttpRequestMessage(HttpMethod.Get, address + path);
        using var response = await Named(limit, () => OpenAsync(request, limit.Token)).ConfigureAwait(false);
        using var body = await Named(limit, () => response.Content.ReadAsStreamAsync(limit.Token)).ConfigureAwait(false);
        var lines = new ResultLines(body, endpoint.MaxResponseBytes);
        while (await Named(limit, () => lines.NextAsync(limit.Token)).ConfigureAwait(false) is { } line) yield return line;
    }

    private async Task<JsonElement> SendAsync(
        HttpMethod method, string path, HttpContent? content, string? name, CancellationToken cancellation)
    {
        using var limit = new AttemptLimit(calls, clock, cancellation);
        using var request = new HttpRequestMessage(method, address + path) { Content = content };
        if (name is not null) request.Headers.TryAddWithoutValidation("Idempotency-Key", name); // where a server heeds it
        return await Named(limit, async () =>
        {
            using var response = await OpenAsync(request, limit.Token).ConfigureAwait(false);
            using var stream = await response.Content.ReadAsStreamAsync(limit.Token).ConfigureAwait(false);
            using var body = new BoundedStream(stream, MostBytes);
            return await ReadAsync(body, limit.Token).ConfigureAwait(false);
        }).ConfigureAwait(false);
    }

    private async Task<JsonElement> ReadAsync(Stream body, CancellationToken cancellation)
    {
        try
        {
            using var document = await JsonDocument.ParseAsync(body, new JsonDocumentOptions { MaxDepth = 32 }, cancellation)
                .ConfigureAwait(false);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? document.RootElement.Clone()
                : throw new RemoteTeacherException(RemoteFaultKind.Damaged, $"{Host} answered with no JSON object.");
        }
        catch (JsonException fault)
        {
            throw new RemoteTeacherException(
                RemoteFaultKind.Damaged, $"{Host} answered with no JSON (line {fault.LineNumber}, byte {fault.BytePositionInLine}).");
        }
    }

    // The page of a gateway is no answer, whatever its status.
    private async Task<HttpResponseMessage> OpenAsync(HttpRequestMessage request, CancellationToken cancellation)
    {
        authorize(request);
        var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
        try
        {
            if (!response.IsSuccessStatusCode)
                throw HttpFault.Of(response, await ErrorAsync(response, cancellation).ConfigureAwait(false), key, clock.GetUtcNow());
            return response.Content.Headers.ContentType?.MediaType == MediaTypeNames.Text.Html
                ? throw new RemoteTeacherException(
                    RemoteFaultKind.ServerFault,
                    $"{Host} answered {(int)response.StatusCode} with a page where JSON was expected. If it goes on, check the address: "
                    + "does it need /v1?")
                : response;
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    private static async Task<EndpointError> ErrorAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        using var body = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        byte[] start = new byte[EndpointError.MaxBytes];
        int read = await body.ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false, cancellation).ConfigureAwait(false);
        return EndpointError.Parse(start.AsMemory(0, read));
    }

    private async Task<T> Named<T>(AttemptLimit limit, Func<Task<T>> work)
    {
        try
        {
            return await TransportFault.Named(Host, work).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (limit.HasRunOut)
        {
            throw new RemoteTeacherException(
                RemoteFaultKind.TimedOut, $"{Host} gave no whole answer within {calls.AttemptTimeout.TotalSeconds:0} s (attempt_timeout).");
        }
    }

    /// <summary>The time of one attempt, within a cancellation of the caller's.</summary>
    private sealed class AttemptLimit : IDisposable
    {
        private readonly CancellationToken outer;
        private readonly CancellationTokenSource timer, both;

        public AttemptLimit(CallOptions calls, TimeProvider clock, CancellationToken outer)
        {
            this.outer = outer;
            timer = new CancellationTokenSource(calls.AttemptTimeout, clock);
            both = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, outer);
        }

        public CancellationToken Token => both.Token;

        public bool HasRunOut => timer.IsCancellationRequested && !outer.IsCancellationRequested;

        public void Dispose()
        {
            both.Dispose();
            timer.Dispose();
        }
    }
}
