using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Distill.Generation;
using Distill.Serving;
using Distill.Tokenization;

namespace Distill.Teacher.Tests.Serving;

/// <summary>A server on a free loopback port with a client. Dispose it before its model.</summary>
internal sealed class RunningServer : IAsyncDisposable
{
    private readonly ModelServer server;

    private RunningServer(GenerationEngine engine, ModelServer server)
    {
        (Engine, this.server) = (engine, server);
        Client = new HttpClient { BaseAddress = server.Address, Timeout = TimeSpan.FromMinutes(2) };
    }

    public GenerationEngine Engine { get; }

    public HttpClient Client { get; }

    public Uri Address => server.Address;

    public static async Task<RunningServer> StartAsync(
        ITokenModel model, ChatEncoder encoder, EngineOptions? engineOptions = null,
        Func<ModelServerOptions, ModelServerOptions>? change = null)
    {
        var options = new ModelServerOptions { ModelName = "tiny", Port = 0 };
        var engine = new GenerationEngine(model, engineOptions ?? new EngineOptions { Slots = 4 });
        try
        {
            return new RunningServer(engine, await ModelServer.StartAsync(engine, encoder, change is null ? options : change(options)));
        }
        catch
        {
            engine.Dispose();
            throw;
        }
    }

    public Task<HttpResponseMessage> SendAsync(string path, object body, CancellationToken cancellation = default) =>
        SendTextAsync(path, JsonSerializer.Serialize(body), cancellation);

    public Task<HttpResponseMessage> SendTextAsync(string path, string json, CancellationToken cancellation = default) =>
        Client.PostAsync(path, new StringContent(json, Encoding.UTF8, new MediaTypeHeaderValue("application/json")), cancellation);

    /// <summary>The answer to a request that must succeed.</summary>
    public async Task<JsonElement> AskAsync(string path, object body)
    {
        using var response = await SendAsync(path, body);
        string text = await response.Content.ReadAsStringAsync();
        ((int)response.StatusCode).ShouldBe(200, text);
        return JsonDocument.Parse(text).RootElement;
    }

    /// <summary>The error of a request that must fail.</summary>
    public async Task<JsonElement> RefusedAsync(string path, string json, int status)
    {
        using var response = await SendTextAsync(path, json);
        string text = await response.Content.ReadAsStringAsync();
        ((int)response.StatusCode).ShouldBe(status, text);
        return JsonDocument.Parse(text).RootElement.GetProperty("error");
    }

    /// <summary>The events of a stream that must end as it should.</summary>
    public async Task<IReadOnlyList<JsonElement>> StreamAsync(string path, object body)
    {
        using var response = await SendAsync(path, body);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("text/event-stream");
        string[] events = (await response.Content.ReadAsStringAsync()).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        events[^1].ShouldBe("data: [DONE]");
        return [.. events[..^1].Select(item => JsonDocument.Parse(item["data: ".Length..]).RootElement)];
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await server.StopAsync(TimeSpan.FromSeconds(10));
        await server.DisposeAsync();
        Engine.Dispose();
    }
}
