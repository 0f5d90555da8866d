using Distill.Client;
using Distill.Client.Registration;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>
/// Models as services. A registration is one model with one engine, a singleton: every <see cref="IChatClient"/> that is asked for is the
/// same, is the container's, and must not be disposed by whoever took it. The container disposes it when it is disposed itself; requests
/// that still run then end with <see cref="ObjectDisposedException"/>. Options are checked when the host starts, and the model is loaded
/// then, unless <see cref="DistillChatClientOptions.LoadAtStart"/> says otherwise.
/// </summary>
public static class DistillServices
{
    /// <summary>
    /// The application's model, as <see cref="IChatClient"/> and as <see cref="DistillChatClient"/>. Configuration may set options too:
    /// <c>services.Configure&lt;DistillChatClientOptions&gt;(section)</c>.
    /// </summary>
    /// <exception cref="InvalidOperationException">There is one already: a second one needs a key.</exception>
    public static IServiceCollection AddDistillChatClient(
        this IServiceCollection services, string folder, Action<DistillChatClientOptions>? configure = null)
    {
        AddCommon(services, Options.Options.DefaultName, folder, configure);
        return services
            .AddSingleton(provider => provider.GetRequiredKeyedService<RegisteredModel>(Options.Options.DefaultName).Open())
            .AddSingleton<IChatClient>(provider => provider.GetRequiredService<DistillChatClient>());
    }

    /// <summary>One model of several, taken by its key: <c>[FromKeyedServices("small")] IChatClient client</c>.</summary>
    /// <param name="key">Also the name of its <see cref="DistillChatClientOptions"/>; not empty.</param>
    /// <exception cref="InvalidOperationException">There is one with this key already.</exception>
    public static IServiceCollection AddKeyedDistillChatClient(
        this IServiceCollection services, string key, string folder, Action<DistillChatClientOptions>? configure = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        AddCommon(services, key, folder, configure);
        return services
            .AddKeyedSingleton(key, (provider, _) => provider.GetRequiredKeyedService<RegisteredModel>(key).Open())
            .AddKeyedSingleton<IChatClient>(key, (provider, _) => provider.GetRequiredKeyedService<DistillChatClient>(key));
    }

    private static void AddCommon(
        IServiceCollection services, string name, string folder, Action<DistillChatClientOptions>? configure)
    {
        if (services.Any(service => service.ServiceType == typeof(RegisteredModel) && name.Equals(service.ServiceKey)))
        {
            throw new InvalidOperationException(name.Length == 0
                ? $"A model is registered already; a second one needs a key: {nameof(AddKeyedDistillChatClient)}."
                : $"A model is registered with the key '{name}' already.");
        }

        services.AddOptionsWithValidateOnStart<DistillChatClientOptions>(name)
            .Configure(options => options.Folder = folder)
            .Configure(options => configure?.Invoke(options));
        services.AddSingleton<IValidateOptions<DistillChatClientOptions>>(new OptionsValidation(name));
        services.AddKeyedSingleton(name, (provider, _) => new RegisteredModel(
            name, provider.GetRequiredService<IOptionsMonitor<DistillChatClientOptions>>(),
            provider.GetService<ILogger<DistillChatClient>>() ?? NullLogger<DistillChatClient>.Instance,
            provider.GetService<TimeProvider>() ?? TimeProvider.System));
        services.AddSingleton<IHostedService>(provider => new ModelLoading(provider, name));
    }
}
