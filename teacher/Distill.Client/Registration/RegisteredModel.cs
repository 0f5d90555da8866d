using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Distill.Client.Registration;

/// <summary>
/// The model of one registration: what its options are, and whether it could be loaded. The container makes the client through it, once,
/// and owns the client. Thread-safe.
/// </summary>
/// <param name="name">The registration's key; empty for the application's model.</param>
internal sealed class RegisteredModel(
    string name, IOptionsMonitor<DistillChatClientOptions> options, ILogger<DistillChatClient> log, TimeProvider clock)
{
    private volatile DistillChatClient? client;
    private volatile Exception? fault;
    private volatile DistillChatClientOptions? used;

    /// <summary>Null while nothing has asked for it, and when it could not be loaded.</summary>
    public DistillChatClient? Client => client;

    /// <summary>Why it could not be loaded, the last time it was tried.</summary>
    public Exception? Fault => fault;

    /// <summary>Those that the model was loaded with, whatever the configuration has become since; before that, those of now.</summary>
    public DistillChatClientOptions Options => used ?? options.Get(name);

    /// <inheritdoc cref="DistillChatClient.Open(DistillChatClientOptions)"/>
    /// <exception cref="OptionsValidationException">Names every option that is impossible.</exception>
    public DistillChatClient Open()
    {
        long start = clock.GetTimestamp();
        try
        {
            var wanted = Options;
            var opened = DistillChatClient.Load(wanted);
            (used, client, fault) = (wanted, opened, null);
            log.LogInformation(
                "Model {Model} loaded from {Folder} in {Milliseconds:N0} ms: {Slots} slots of {Length} tokens.", wanted.NameOfModel,
                wanted.Folder, clock.GetElapsedTime(start).TotalMilliseconds, wanted.Slots, opened.Engine.MaxLength);
            return opened;
        }
        catch (Exception e) // whatever it is, the health check has to say it; the caller gets it unchanged
        {
            fault = e;
            log.LogError(e, "The model of registration '{Name}' cannot be loaded.", name);
            throw;
        }
    }
}

/// <summary>
/// Loads a registration's model when the host starts, away from the thread that starts it, and has it say one token: what .NET compiles
/// for that, which takes some hundred milliseconds, no request waits for then.
/// </summary>
internal sealed class ModelLoading(IServiceProvider provider, string name) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (!provider.GetRequiredKeyedService<RegisteredModel>(name).Options.LoadAtStart) return Task.CompletedTask;
        return Task.Run(() => Client.GetResponseAsync("?", new ChatOptions { MaxOutputTokens = 1 }, cancellationToken), cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private DistillChatClient Client => name.Length == 0
        ? provider.GetRequiredService<DistillChatClient>()
        : provider.GetRequiredKeyedService<DistillChatClient>(name);
}

/// <summary>The check of one registration's options; says everything that is wrong.</summary>
internal sealed class OptionsValidation(string registration) : IValidateOptions<DistillChatClientOptions>
{
    public ValidateOptionsResult Validate(string? name, DistillChatClientOptions options)
    {
        if (name != registration) return ValidateOptionsResult.Skip;
        var problems = OptionsCheck.ProblemsOf(options);
        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }
}
