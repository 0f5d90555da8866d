using Distill.Client.Registration;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Microsoft.Extensions.DependencyInjection
{
    /// <summary>Health of models that <see cref="DistillServices"/> registered.</summary>
    public static class DistillHealthChecks
    {
        /// <summary>
        /// Unhealthy, with the reason, when the model cannot be loaded or its engine has ended; degraded while as many requests wait as
        /// may. Loads nothing and asks the model nothing, so it may be called as often as one likes.
        /// </summary>
        /// <param name="key">The registration's key; null for the application's model.</param>
        /// <param name="name">Of the check. Default <c>distill</c>, with a key <c>distill:key</c>.</param>
        public static IHealthChecksBuilder AddDistill(
            this IHealthChecksBuilder builder, string? key = null, string? name = null, IEnumerable<string>? tags = null) =>
            builder.Add(new HealthCheckRegistration(
                name ?? (key is null ? "distill" : $"distill:{key}"),
                provider => new DistillHealthCheck(
                    provider.GetKeyedService<RegisteredModel>(key ?? Options.Options.DefaultName)
                    ?? throw new InvalidOperationException(key is null
                        ? $"No model is registered: {nameof(DistillServices.AddDistillChatClient)} comes first."
                        : $"No model is registered with the key '{key}': {nameof(DistillServices.AddKeyedDistillChatClient)} "
                            + "comes first.")),
                HealthStatus.Unhealthy, tags));
    }
}

namespace Distill.Client.Registration
{
    /// <summary>What <see cref="Microsoft.Extensions.DependencyInjection.DistillHealthChecks"/> adds.</summary>
    internal sealed class DistillHealthCheck(RegisteredModel model) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
            Task.FromResult(Check());

        private HealthCheckResult Check()
        {
            if (model.Fault is { } fault) return HealthCheckResult.Unhealthy($"The model cannot be loaded: {fault.Message}", fault);
            if (model.Client is not { } client) return HealthCheckResult.Healthy("The model is loaded when it is first used.");
            if (client.Engine.Fault is { } ended)
                return HealthCheckResult.Unhealthy($"The engine has ended and answers no more: {ended.Message}", ended);
            var (waiting, running) = client.Engine.Load;
            var data = new Dictionary<string, object>
            {
                ["waiting"] = waiting, ["running"] = running, ["tokens"] = client.Engine.Progress.CompletionTokens,
            };
            return waiting >= model.Options.MaxWaiting
                ? HealthCheckResult.Degraded($"{waiting} requests wait, as many as may: further ones are refused.", data: data)
                : HealthCheckResult.Healthy($"{running} requests running, {waiting} waiting.", data);
        }
    }
}
