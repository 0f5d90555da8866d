using Distill.Client;
using Distill.Generation;
using Distill.Generation.Constraints;
using Distill.Teacher.Tests.Fixtures;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace Distill.Teacher.Tests.Client;

/// <summary>Models as services of a host: one engine each, checked and loaded at the start, disposed at the end; their health.</summary>
public sealed class RegistrationTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_host_has_one_client_and_disposes_it()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddDistillChatClient(TinyReasoner.Folder, options => options.Slots = 2);
        DistillChatClient client;
        using (var host = builder.Build())
        {
            await host.StartAsync(Cancellation);
            client = host.Services.GetRequiredService<DistillChatClient>();
            client.Engine.Progress.Total.ShouldBe(1); // it has spoken before anybody asks
            host.Services.GetRequiredService<IChatClient>().ShouldBeSameAs(client);
            using (var scope = host.Services.CreateScope())
                scope.ServiceProvider.GetRequiredService<IChatClient>().ShouldBeSameAs(client);
            (await client.GetResponseAsync(TinyReasoner.Question, cancellationToken: Cancellation)).Text.ShouldNotBeEmpty();
            await host.StopAsync(Cancellation);
        }

        await Should.ThrowAsync<ObjectDisposedException>(() => client.GetResponseAsync("?", cancellationToken: Cancellation));
    }

    [Fact]
    public async Task Keys_tell_models_apart()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddKeyedDistillChatClient("one", TinyReasoner.Folder, options => options.ModelName = "first");
        builder.Services.AddKeyedDistillChatClient("two", TinyReasoner.Folder, options => options.ModelName = "second");
        using var host = builder.Build();
        await host.StartAsync(Cancellation);
        var one = host.Services.GetRequiredKeyedService<IChatClient>("one");
        var two = host.Services.GetRequiredKeyedService<IChatClient>("two");
        one.GetService<ChatClientMetadata>()!.DefaultModelId.ShouldBe("first");
        two.GetService<ChatClientMetadata>()!.DefaultModelId.ShouldBe("second");
        host.Services.GetService<IChatClient>().ShouldBeNull();
        await host.StopAsync(Cancellation);
    }

    [Fact]
    public void A_second_model_of_the_same_name_is_refused()
    {
        var services = new ServiceCollection();
        services.AddDistillChatClient(TinyReasoner.Folder);
        services.AddKeyedDistillChatClient("key", TinyReasoner.Folder);
        Should.Throw<InvalidOperationException>(() => services.AddDistillChatClient("other")).Message
            .ShouldContain("AddKeyedDistillChatClient");
        Should.Throw<InvalidOperationException>(() => services.AddKeyedDistillChatClient("key", "other")).Message.ShouldContain("'key'");
    }

    [Fact]
    public async Task A_host_does_not_start_with_impossible_options()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddDistillChatClient("nowhere", options => (options.Slots, options.LoadAtStart) = (0, false));
        using var host = builder.Build();
        var thrown = await Should.ThrowAsync<OptionsValidationException>(() => host.StartAsync(Cancellation));
        thrown.Message.ShouldContain("'nowhere' does not exist");
        thrown.Message.ShouldContain("Slots 0");
    }

    [Fact]
    public async Task A_host_does_not_start_with_a_damaged_model()
    {
        using var folder = new TemporaryFolder();
        string broken = TinyReasoner.Copy(Path.Combine(folder.Path, "broken"));
        await using (var weights = File.OpenWrite(Path.Combine(broken, "onnx", "model.onnx_data"))) weights.SetLength(1000);
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddDistillChatClient(broken);
        using var host = builder.Build();
        (await Should.ThrowAsync<OptionsValidationException>(() => host.StartAsync(Cancellation))).Message.ShouldContain("model.onnx_data");
    }

    [Fact]
    public async Task Health_says_what_the_engine_does_and_why_it_ended()
    {
        var services = new ServiceCollection().AddLogging();
        services.AddDistillChatClient(TinyReasoner.Folder, options => (options.Slots, options.MaxWaiting) = (1, 1));
        services.AddHealthChecks().AddDistill();
        await using var provider = services.BuildServiceProvider();
        var health = provider.GetRequiredService<HealthCheckService>();
        (await Entry(health)).Description.ShouldBe("The model is loaded when it is first used.");
        var client = provider.GetRequiredService<DistillChatClient>();
        var calm = await Entry(health);
        calm.Status.ShouldBe(HealthStatus.Healthy);
        calm.Data["waiting"].ShouldBe(0);
        client.Engine.Dispose();
        var ended = await Entry(health);
        ended.Status.ShouldBe(HealthStatus.Unhealthy);
        ended.Description!.ShouldContain("ended and answers no more");
        ended.Exception.ShouldBeOfType<ObjectDisposedException>();
    }

    [Fact]
    public async Task Health_is_degraded_while_as_many_wait_as_may_whatever_the_options_have_become()
    {
        using var change = new CancellationTokenSource();
        int most = 1;
        var services = new ServiceCollection().AddLogging();
        services.AddDistillChatClient(TinyReasoner.Folder, options => (options.Slots, options.MaxWaiting) = (1, most));
        services.AddSingleton<IOptionsChangeTokenSource<DistillChatClientOptions>>(
            new ConfigurationChangeTokenSource(new CancellationChangeToken(change.Token)));
        services.AddHealthChecks().AddDistill();
        await using var provider = services.BuildServiceProvider();
        var health = provider.GetRequiredService<HealthCheckService>();
        var client = provider.GetRequiredService<DistillChatClient>();
        most = 100;
        await change.CancelAsync(); // the configuration was edited; the engine is the one of before
        using var held = new Held();
        var request = new GenerationRequest { Prompt = [5], MaxNewTokens = 2, StopTokens = [1], Seeds = [1] };
        var running = client.Engine.CompleteAsync(request with { Constraint = held }, Cancellation);
        held.Reached.Wait(Cancellation);
        var waiting = client.Engine.CompleteAsync(request, Cancellation);
        var entry = await Entry(health);
        held.Release.Set();
        (await running).ShouldHaveSingleItem();
        (await waiting).ShouldHaveSingleItem();
        entry.Status.ShouldBe(HealthStatus.Degraded);
        entry.Data["waiting"].ShouldBe(1);
        (await Entry(health)).Status.ShouldBe(HealthStatus.Healthy);
    }

    [Fact]
    public async Task Health_of_a_model_that_could_not_be_loaded_is_the_reason()
    {
        var services = new ServiceCollection().AddLogging();
        services.AddKeyedDistillChatClient("key", "nowhere");
        services.AddHealthChecks().AddDistill("key");
        await using var provider = services.BuildServiceProvider();
        Should.Throw<OptionsValidationException>(() => provider.GetRequiredKeyedService<IChatClient>("key"));
        var entry = await Entry(provider.GetRequiredService<HealthCheckService>(), "distill:key");
        entry.Status.ShouldBe(HealthStatus.Unhealthy);
        entry.Description!.ShouldContain("'nowhere' does not exist");
    }

    [Fact]
    public async Task Health_of_a_model_that_nobody_registered_names_the_call_that_is_missing()
    {
        var services = new ServiceCollection().AddLogging();
        services.AddHealthChecks().AddDistill("absent");
        await using var provider = services.BuildServiceProvider();
        var report = await Should.ThrowAsync<InvalidOperationException>(
            () => provider.GetRequiredService<HealthCheckService>().CheckHealthAsync(Cancellation));
        report.Message.ShouldContain("AddKeyedDistillChatClient comes first");
    }

    private sealed class ConfigurationChangeTokenSource(IChangeToken token) : IOptionsChangeTokenSource<DistillChatClientOptions>
    {
        private IChangeToken? next = token;

        public string? Name => Options.DefaultName;

        // The token that has fired is given once: asked again, it would fire for ever.
        public IChangeToken GetChangeToken() => Interlocked.Exchange(ref next, null) ?? new CancellationChangeToken(CancellationToken.None);
    }

    /// <summary>A constraint that holds the engine until it is let go.</summary>
    private sealed class Held : ITokenConstraint, ITokenConstraintState, IDisposable
    {
        public ManualResetEventSlim Reached { get; } = new();

        public ManualResetEventSlim Release { get; } = new();

        public ReadOnlySpan<ulong> Allowed => default;

        public ITokenConstraintState Begin(IReadOnlyList<int> prompt, IReadOnlyList<int> stopTokens)
        {
            Reached.Set();
            Release.Wait();
            return this;
        }

        public void Advance(int token)
        {
        }

        public void Dispose()
        {
            Release.Set();
            Reached.Dispose();
            Release.Dispose();
        }
    }

    private static async Task<HealthReportEntry> Entry(HealthCheckService health, string name = "distill") =>
        (await health.CheckHealthAsync(Cancellation)).Entries[name];
}
