using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Distill.Service.Schedules;
using Distill.Teacher.Remote;
using Distill.Teacher.Remote.Network;
using Polly;
using Polly.Retry;

namespace Distill.Service.Notifying;

/// <summary>Tells people and programs how a run ended.</summary>
internal interface INotifiers
{
    /// <returns>Why it could not be told, without secrets; null when it was.</returns>
    /// <exception cref="OperationCanceledException">The service stops.</exception>
    Task<string?> TellAsync(NotifierSection notifier, RunNotice notice, CancellationToken cancellation);
}

/// <summary>
/// Webhooks, asked again after what may pass (408, 429, 5xx, no connection), and programs. A signed request carries
/// <c>X-Distill-Timestamp</c> (Unix seconds) and <c>X-Distill-Signature: sha256=…</c>, the HMAC-SHA256 of timestamp, a full stop and body.
/// The address of a webhook is a secret: no message holds it. Thread-safe.
/// </summary>
/// <param name="withheld">Environment variables that a program which tells has no business with.</param>
internal sealed class Notifiers(TimeProvider clock, IReadOnlyCollection<string> withheld) : INotifiers
{
    private const int Retries = 4;

    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(2), LongestDelay = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30), LongestCommand = TimeSpan.FromMinutes(1);

    private readonly ResiliencePipeline<HttpStatusCode> patient = new ResiliencePipelineBuilder<HttpStatusCode> { TimeProvider = clock }
        .AddRetry(new RetryStrategyOptions<HttpStatusCode>
        {
            MaxRetryAttempts = Retries, Delay = FirstDelay, MaxDelay = LongestDelay, BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            ShouldHandle = new PredicateBuilder<HttpStatusCode>()
                .Handle<HttpRequestException>(fault => !IsForbidden(fault)).Handle<TimeoutException>()
                .HandleResult(MayPass),
        })
        .Build();

    public async Task<string?> TellAsync(NotifierSection notifier, RunNotice notice, CancellationToken cancellation)
    {
        byte[] body = Encoding.UTF8.GetBytes(MessageBodies.Of(notice, notifier.Style).ToJsonString());
        string? fault = notifier.Command is { } command ? await StartAsync(command, notice, body, cancellation).ConfigureAwait(false)
            : await PostAsync(notifier, body, cancellation).ConfigureAwait(false);
        return fault is null ? null : $"notifier '{notifier.Name}': {fault}";
    }

    /// <summary>What keeps a notifier from working at all; null when nothing does.</summary>
    public static string? Fault(NotifierSection notifier)
    {
        foreach (string? variable in (string?[])[notifier.WebhookEnv, notifier.SecretEnv])
        {
            if (variable is not null && Value(variable) is null) return $"the environment variable {variable} is not set";
        }

        if (notifier.WebhookEnv is null) return null;
        string address = Value(notifier.WebhookEnv)!;
        bool isAddress = Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https";
        if (!isAddress) return $"{notifier.WebhookEnv} holds no web address";
        return notifier.Network == NetworkScope.Public && uri!.Scheme != "https" ? $"{notifier.WebhookEnv} holds no https address" : null;
    }

    /// <returns>In hexadecimal.</returns>
    public static string Sign(string secret, string timestamp, ReadOnlySpan<byte> body) => Convert.ToHexStringLower(
        HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), (byte[])[.. Encoding.UTF8.GetBytes(timestamp + "."), .. body]));

    private async Task<string?> PostAsync(NotifierSection notifier, byte[] body, CancellationToken cancellation)
    {
        if (Fault(notifier) is { } unset) return unset;
        var address = new Uri(Value(notifier.WebhookEnv!)!);
        using var client = new HttpClient(GuardedConnection.CreateHandler(notifier.Network)) { Timeout = Longest };
        try
        {
            var status = await patient.ExecuteAsync(
                async token => await SendAsync(client, address, notifier, body, token).ConfigureAwait(false),
                cancellation).ConfigureAwait(false);
            return (int)status is >= 200 and < 300 ? null : $"the webhook answered {(int)status}";
        }
        catch (HttpRequestException fault) when (IsForbidden(fault))
        {
            return $"the webhook is not in the network '{EndpointRule.Word(notifier.Network)}' that it may lie in";
        }
        catch (HttpRequestException fault)
        {
            return $"the webhook cannot be reached ({fault.HttpRequestError})"; // its message would hold the address
        }
        catch (TimeoutException)
        {
            return "the webhook does not answer";
        }
    }

    private async Task<HttpStatusCode> SendAsync(
        HttpClient client, Uri address, NotifierSection notifier, byte[] body, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        if (notifier.SecretEnv is { } variable)
        {
            string timestamp = clock.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
            request.Headers.Add("X-Distill-Timestamp", timestamp);
            request.Headers.Add("X-Distill-Signature", $"sha256={Sign(Value(variable)!, timestamp, body)}");
        }

        try
        {
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation)
                .ConfigureAwait(false);
            return response.StatusCode;
        }
        catch (TaskCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException();
        }
    }

    private async Task<string?> StartAsync(string command, RunNotice notice, byte[] body, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(command) { RedirectStandardInput = true, CreateNoWindow = true };
        foreach (var (name, value) in (ReadOnlySpan<(string, string)>)
            [("DISTILL_SCHEDULE", notice.Schedule), ("DISTILL_RUN", notice.Run), ("DISTILL_OUTCOME", notice.Outcome)])
            start.Environment[name] = value;
        foreach (string name in withheld) start.Environment.Remove(name);
        using var longest = new CancellationTokenSource(LongestCommand, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(longest.Token, cancellation);
        try
        {
            using var process = Process.Start(start)!;
            try
            {
                await WriteAsync(process, body, either.Token).ConfigureAwait(false);
                await process.WaitForExitAsync(either.Token).ConfigureAwait(false);
                return process.ExitCode == 0 ? null : $"its program ended with code {process.ExitCode}";
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                process.Kill(entireProcessTree: true);
                return $"its program did not end within {LongestCommand.TotalSeconds:N0} seconds";
            }
        }
        catch (System.ComponentModel.Win32Exception fault)
        {
            return $"its program cannot be started: {fault.Message}";
        }
    }

    private static async Task WriteAsync(Process process, byte[] body, CancellationToken cancellation)
    {
        try
        {
            await process.StandardInput.BaseStream.WriteAsync(body, cancellation).ConfigureAwait(false);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // A program need not read what it is given.
        }
    }

    private static bool IsForbidden(HttpRequestException fault) => fault.InnerException is RemoteTeacherException;

    private static bool MayPass(HttpStatusCode status) => (int)status is 408 or 429 or >= 500;

    private static string? Value(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : null;
}
