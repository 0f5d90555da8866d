using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using Polly;

namespace Distill.Teacher.Remote.Calls;

/// <summary>
/// Any chat client, asked with patience: repeats attempts that failed for a passing reason (exponential delay with jitter, or what
/// Retry-After says), keeps to limits of requests and tokens, leaves a failing endpoint alone for a while, ends attempts that take too
/// long, and counts. Thread-safe. Disposing it disposes the inner client.
/// </summary>
internal sealed class ResilientChatClient : DelegatingChatClient
{
    private readonly CallOptions options;
    private readonly ResiliencePipeline<ChatResponse> pipeline;
    private readonly Pace pace;
    private readonly UsageMeter meter = new();
    private readonly CallTelemetry telemetry;
    private readonly Func<Exception, RemoteTeacherException?>? readFault;

    /// <param name="clock">Times delays, timeouts and limits; default: the system's.</param>
    /// <param name="jitter">Uniform in [0, 1), called by any thread; default: seeded from the clock.</param>
    /// <param name="readFault">
    /// What an exception of the inner client means; null for one to pass on as it is. Asked before the built-in reading, which knows this
    /// library's faults and those of <see cref="HttpClient"/>: clients that wrap them in types of their own need it.
    /// </param>
    /// <exception cref="ArgumentException">The options cannot be used; every problem is named.</exception>
    public ResilientChatClient(
        IChatClient inner, CallOptions options, TimeProvider? clock = null, Func<double>? jitter = null,
        Func<Exception, RemoteTeacherException?>? readFault = null)
        : base(inner)
    {
        var problems = options.FindProblems();
        if (problems.Count > 0) throw new ArgumentException(string.Join(" ", problems), nameof(options));
        (this.options, this.readFault) = (options, readFault);
        clock ??= TimeProvider.System;
        telemetry = new CallTelemetry(inner, clock);
        pace = new Pace(options, clock);
        pipeline = CallPipeline.Build(options, pace, Read, clock, jitter ?? new Jitter(unchecked((int)clock.GetTimestamp())).Next);
    }

    /// <summary>So far; any thread, any time.</summary>
    public RemoteUsage Usage => meter.Usage;

    /// <exception cref="RemoteTeacherException">The attempts are used up, or another cannot help.</exception>
    /// <exception cref="OperationCanceledException">At once, also within a wait or an attempt.</exception>
    public override async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        IReadOnlyList<ChatMessage> asked = [.. messages];
        meter.CountRequest();
        var context = ResilienceContextPool.Shared.Get(cancellationToken);
        context.Properties.Set(PaceStrategy.Estimate, TokenUse.AtMost(asked, options));
        var attempts = new AttemptCount();
        try
        {
            return await pipeline.ExecuteAsync(
                static (context, state) =>
                    state.Client.AttemptAsync(state.Messages, state.Options, state.Attempts, context.CancellationToken), context,
                (Client: this, Messages: asked, Options: options, Attempts: attempts)).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is not (OperationCanceledException or RemoteTeacherException) && Read(fault) is { } read)
        {
            throw read;
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    /// <summary>The whole answer as updates, once it is there: a retry cannot take back what was shown already.</summary>
    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var response = await GetResponseAsync(messages, options, cancellationToken).ConfigureAwait(false);
        foreach (var update in response.ToChatResponseUpdates()) yield return update;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) pace.Dispose();
        base.Dispose(disposing);
    }

    private async ValueTask<ChatResponse> AttemptAsync(
        IReadOnlyList<ChatMessage> messages, ChatOptions? options, AttemptCount attempts, CancellationToken cancellation)
    {
        meter.CountAttempt();
        using var call = telemetry.Begin(attempts.Next());
        try
        {
            var response = await InnerClient.GetResponseAsync(messages, options, cancellation).ConfigureAwait(false);
            meter.CountAnswer(response.Usage);
            call.Answered(response.Usage);
            return response;
        }
        catch (Exception fault)
        {
            call.Failed(fault);
            throw;
        }
    }

    private RemoteTeacherException? Read(Exception? exception) =>
        exception is null ? null : readFault?.Invoke(exception) ?? FaultReading.Read(exception, options);
}
