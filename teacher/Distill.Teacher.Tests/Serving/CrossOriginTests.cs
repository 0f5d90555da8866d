using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Distill.Serving;
using Distill.Teacher.Tests.Fixtures;

namespace Distill.Teacher.Tests.Serving;

/// <summary>Which pages a browser lets ask: none, unless they are named.</summary>
public sealed class CrossOriginTests
{
    private const string Path = "/v1/chat/completions", Page = "http://localhost:5173", Other = "https://evil.example";

    [Fact]
    public async Task A_named_page_may_ask_and_read_and_another_may_not()
    {
        using var model = Model();
        await using var server = await RunningServer.StartAsync(
            model, TinyTokenizer.Encoder, null, options => options with { AllowedOrigins = ["https://app.example", Page] });
        using var preflight = await PreflightAsync(server, Page);
        preflight.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        Header(preflight, "Access-Control-Allow-Origin").ShouldBe(Page);
        Header(preflight, "Access-Control-Allow-Methods").ShouldBe("GET, POST");
        Header(preflight, "Access-Control-Allow-Headers").ShouldBe("authorization,content-type,x-stainless-os");
        Header(preflight, "Vary").ShouldBe("Origin");
        using var answered = await AskAsync(server, Page, """{"messages":[{"role":"user","content":"a"}],"max_tokens":1}""");
        (answered.StatusCode, Header(answered, "Access-Control-Allow-Origin")).ShouldBe((HttpStatusCode.OK, Page));
        using var refused = await AskAsync(server, Page, "{}");
        (refused.StatusCode, Header(refused, "Access-Control-Allow-Origin")).ShouldBe((HttpStatusCode.BadRequest, Page));

        Header(refused, "Access-Control-Expose-Headers").ShouldBe("Retry-After");

        using var foreign = await PreflightAsync(server, Other);
        foreign.StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
        Header(foreign, "Access-Control-Allow-Origin").ShouldBeNull();
        using var read = await AskAsync(server, Other, "{}");
        Header(read, "Access-Control-Allow-Origin").ShouldBeNull();
    }

    [Fact]
    public async Task A_browser_asks_without_the_key_and_the_page_needs_it()
    {
        using var model = Model();
        await using var server = await RunningServer.StartAsync(
            model, TinyTokenizer.Encoder, null, options => options with { AllowedOrigins = ["*"], ApiKey = "a-key-of-24-characters-!" });
        using var preflight = await PreflightAsync(server, Other);
        (preflight.StatusCode, Header(preflight, "Access-Control-Allow-Origin")).ShouldBe((HttpStatusCode.NoContent, Other));
        using var refused = await AskAsync(server, Other, "{}");
        refused.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    // No header of an answer can hold them, and whoever asks needs no key.
    [Theory]
    [InlineData("https://caf\u00e9.example", "authorization", null, null)]
    [InlineData(Other, "x-caf\u00e9", Other, "authorization, content-type")]
    [InlineData(Other, "x-a, x-b", Other, "x-a, x-b")]
    public async Task What_a_header_cannot_say_is_not_said_again(string origin, string names, string? allowed, string? answered)
    {
        var failures = new List<Exception>();
        using var model = Model();
        await using var server = await RunningServer.StartAsync(
            model, TinyTokenizer.Encoder, null,
            options => options with { AllowedOrigins = ["*"], ApiKey = "a-key-of-24-characters-!", Failed = failures.Add });
        using var client = new HttpClient(new SocketsHttpHandler { RequestHeaderEncodingSelector = (_, _) => Encoding.UTF8 });
        client.BaseAddress = server.Address;
        using var response = await client.SendAsync(Preflight(origin, names));
        ((int)response.StatusCode).ShouldBe(allowed is null ? 401 : 204);
        (Header(response, "Access-Control-Allow-Origin"), Header(response, "Access-Control-Allow-Headers")).ShouldBe((allowed, answered));
        failures.ShouldBeEmpty();
        (await server.Client.GetAsync("/health")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task By_default_no_page_may_ask()
    {
        using var model = Model();
        await using var server = await RunningServer.StartAsync(model, TinyTokenizer.Encoder);
        using var preflight = await PreflightAsync(server, Page);
        (preflight.StatusCode, Header(preflight, "Access-Control-Allow-Origin")).ShouldBe((HttpStatusCode.MethodNotAllowed, null));
    }

    [Theory]
    [InlineData("localhost:5173", "is no origin"), InlineData("http://localhost:5173/", "is no origin")]
    [InlineData("ftp://a.example", "is no origin"), InlineData("null", "is no origin"), InlineData("*", "an API key is required")]
    public void What_is_no_origin_is_refused(string origin, string message) =>
        Should.Throw<ArgumentException>(new ModelServerOptions { ModelName = "m", AllowedOrigins = [origin] }.Validate)
            .Message.ShouldContain(message);

    private static Task<HttpResponseMessage> PreflightAsync(RunningServer server, string origin) =>
        server.Client.SendAsync(Preflight(origin, "authorization,content-type,x-stainless-os"));

    private static HttpRequestMessage Preflight(string origin, string names)
    {
        var request = new HttpRequestMessage(HttpMethod.Options, Path);
        foreach (var (name, value) in ((string, string)[])
            [("Origin", origin), ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", names)])
            request.Headers.TryAddWithoutValidation(name, value);
        return request;
    }

    private static Task<HttpResponseMessage> AskAsync(RunningServer server, string origin, string body)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, Path)
        {
            Content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue("application/json")),
        };
        request.Headers.Add("Origin", origin);
        return server.Client.SendAsync(request);
    }

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? string.Join(",", values) : null;

    private static ScriptedTokenModel Model() =>
        new(TinyTokenizer.Tokenizer.VocabularySize, 512, (_, logits) => { logits.Clear(); logits[TinyTokenizer.Tokens("a")[0]] = 9; });
}
