using System.Diagnostics;
using Distill.Data.Telemetry;
using Microsoft.Extensions.AI;

namespace Distill.Teacher.Remote.Calls;

/// <summary>Attempts of one request. Thread-safe: a hedged attempt runs beside the first.</summary>
internal sealed class AttemptCount
{
    private int count;

    /// <returns>1 for the first.</returns>
    public int Next() => Interlocked.Increment(ref count);
}

/// <summary>
/// Says how long an endpoint takes, what it counts and how often it is asked again, to whoever listens. What was asked and answered is
/// not said. Thread-safe.
/// </summary>
internal sealed class CallTelemetry
{
    private readonly TimeProvider clock;
    private readonly TagList tags;
    private readonly string model;

    public CallTelemetry(IChatClient client, TimeProvider clock)
    {
        this.clock = clock;
        var metadata = client.GetService(typeof(ChatClientMetadata)) as ChatClientMetadata;
        model = metadata?.DefaultModelId ?? "unknown";
        tags.Add(Instruments.Attribute.Operation, Instruments.Span.Chat);
        tags.Add(Instruments.Attribute.Provider, metadata?.ProviderName ?? "unknown");
        tags.Add(Instruments.Attribute.Model, model);
        if (metadata?.ProviderUri is not { } address) return;
        tags.Add(Instruments.Attribute.Server, address.Host);
        tags.Add(Instruments.Attribute.ServerPort, address.Port);
    }

    /// <param name="attempt">Of its request, from 1.</param>
    public Call Begin(int attempt)
    {
        if (attempt > 1) Instruments.CallRetries.Add(1, KeyValuePair.Create(Instruments.Attribute.Model, (object?)model));
        var span = !Instruments.Spans.HasListeners() ? null
            : Instruments.Spans.StartActivity($"{Instruments.Span.Chat} {model}", ActivityKind.Client, default(ActivityContext), tags);
        span?.SetTag(Instruments.Attribute.Attempt, attempt);
        return new Call(this, span, clock.GetTimestamp());
    }

    /// <summary>One attempt; dispose it when it is over.</summary>
    public sealed class Call(CallTelemetry owner, Activity? span, long began) : IDisposable
    {
        private string? error;

        public void Answered(UsageDetails? usage)
        {
            Count(usage?.InputTokenCount, "input", Instruments.Attribute.InputTokens);
            Count(usage?.OutputTokenCount, "output", Instruments.Attribute.OutputTokens);
        }

        public void Failed(Exception fault)
        {
            error = fault is RemoteTeacherException remote ? remote.Status?.ToString(System.Globalization.CultureInfo.InvariantCulture)
                ?? remote.Kind.ToString() : fault.GetType().Name;
            span?.SetTag(Instruments.Attribute.Error, error);
            span?.SetStatus(ActivityStatusCode.Error);
        }

        public void Dispose()
        {
            span?.Dispose();
            if (!Instruments.CallDuration.Enabled) return;
            var measured = owner.tags;
            if (error is not null) measured.Add(Instruments.Attribute.Error, error);
            Instruments.CallDuration.Record(owner.clock.GetElapsedTime(began).TotalSeconds, measured);
        }

        private void Count(long? tokens, string type, string attribute)
        {
            if (tokens is not { } count) return;
            span?.SetTag(attribute, count);
            if (!Instruments.CallTokenUsage.Enabled) return;
            Instruments.CallTokenUsage.Record(
                count, KeyValuePair.Create(Instruments.Attribute.Operation, (object?)Instruments.Span.Chat), owner.tags[1], owner.tags[2],
                KeyValuePair.Create(Instruments.Attribute.TokenType, (object?)type));
        }
    }
}
