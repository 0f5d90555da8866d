using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Distill.Generation;
using Distill.Serving;
using Distill.Teacher.Tests.Fixtures;

namespace Distill.Teacher.Tests.Serving;

/// <summary>Who is let in, how many, and what a refusal says.</summary>
public sealed class ServerRulesTests
{
    private const string Path = "/v1/completions", Chat = "/v1/chat/completions", Key = "a-key-of-24-characters-!";

    [Theory]
    [InlineData(Path, """{"prompt":"a","beam_width":3}""", "beam_width", "Unknown parameter")]
    [InlineData(Path, """{"prompt":"a","temperature":-1}""", "temperature", "0 to 100")]
    [InlineData(Path, """{"prompt":"a","temperature":"hot"}""", "temperature", "must be a number")]
    [InlineData(Path, """{"prompt":"a","top_p":1.5}""", "top_p", "0 to 1")]
    [InlineData(Path, """{"prompt":"a","n":0}""", "n", "1 to 128")]
    [InlineData(Path, """{"prompt":"a","stop":""}""", "stop", "1 to 1000 characters")]
    [InlineData(Path, """{"prompt":"a","frequency_penalty":2.5}""", "frequency_penalty", "-2 to 2")]
    [InlineData(Path, """{"prompt":"a","temperature":1e-300}""", "temperature", "must be 0")]
    [InlineData(Path, """{"prompt":"a","store":true}""", "store", "stores nothing")]
    [InlineData(Path, """{"prompt":"a","prompt":"b"}""", "prompt", "twice")]
    [InlineData(Path, """{"prompt":"a","best_of":4}""", "best_of", "not supported")]
    [InlineData(Path, """{"prompt":"a","logit_bias":{"x":1}}""", "logit_bias", "token ids")]
    [InlineData(Path, """{"prompt":"a","logit_bias":{"99999":1}}""", "logit_bias", "outside the vocabulary")]
    [InlineData(Path, """{"prompt":[1,99999]}""", "prompt", "outside the vocabulary")]
    [InlineData(Path, """{"prompt":[]}""", "prompt", "array of token ids")]
    [InlineData(Path, """{"prompt":""}""", "prompt", "empty")]
    [InlineData(Path, """{"max_tokens":3}""", "prompt", "missing")]
    [InlineData(Path, """{"prompt":"a","max_tokens":0}""", "max_tokens", "asks for nothing")]
    [InlineData(Path, """{"prompt":["a","b"],"stream":true}""", "stream", "one prompt")]
    [InlineData(Path, """{"prompt":"a","stream_options":{"every":1}}""", "stream_options.every", "Unknown parameter")]
    [InlineData(Path, """[1]""", null, "JSON object")]
    [InlineData(Path, """{"prompt":""", null, "not JSON")]
    [InlineData(Chat, """{"messages":[]}""", "messages", "at least one")]
    [InlineData(Chat, """{"messages":[{"role":"user"}]}""", "messages[0].content", "missing")]
    [InlineData(Chat, """{"messages":[{"role":"tool","content":"a"}]}""", "messages[0].tool_call_id", "missing")]
    [InlineData(Chat, """{"messages":[{"role":"critic","content":"a"}]}""", "messages[0].role", "must be one of system")]
    [InlineData(Chat, """{"messages":[{"role":"assistant","content":null}]}""", "messages[0].content", "missing")]
    [InlineData(Chat, """{"messages":[{"role":"assistant","content":"a","refusal":"no"}]}""", "messages[0].refusal", "not supported")]
    [InlineData(Chat, """{"messages":[{"role":"user","content":[{"type":"image_url"}]}]}""", "messages[0].content", "type text")]
    [InlineData(Chat, """{"messages":[{"role":"user","content":"a","to":"b"}]}""", "messages[0].to", "Unknown parameter")]
    [InlineData(Chat, """{"messages":[{"role":"user","content":"a"}],"tools":[{}]}""", "tools[0].function", "missing")]
    [
        InlineData(
            Chat, """{"messages":[{"role":"user","content":"a"}],"response_format":{"type":"xml"}}""", "response_format.type",
            "must be text, json_object or json_schema")]
    [InlineData(Chat, """{"messages":[{"role":"user","content":"a"}],"top_logprobs":2}""", "top_logprobs", "needs 'logprobs'")]
    [
        InlineData(
            Chat, """{"messages":[{"role":"user","content":"a"}],"chat_template_kwargs":{"bos_token":"x"}}""", "chat_template_kwargs",
            "must be true, false or a number")]
    public async Task A_request_that_cannot_be_honoured_is_refused_by_name(string path, string body, string? parameter, string message)
    {
        using var model = Endless();
        await using var server = await RunningServer.StartAsync(model, TinyTokenizer.Encoder);
        var error = await server.RefusedAsync(path, body, 400);
        error.GetProperty("param").GetString().ShouldBe(parameter);
        error.GetProperty("message").GetString()!.ShouldContain(message);
        error.GetProperty("type").GetString().ShouldBe("invalid_request_error");
    }

    [Fact]
    public async Task Neutral_values_of_what_is_not_supported_pass()
    {
        using var model = Endless();
        await using var server = await RunningServer.StartAsync(model, TinyTokenizer.Encoder);
        await server.AskAsync(Chat, new
        {
            model = "tiny", messages = TinyReasoner.Messages("a"), max_completion_tokens = 2, frequency_penalty = 0, presence_penalty = 0.0,
            tools = Array.Empty<int>(),
            response_format = new { type = "text" }, user = "me", logit_bias = (object?)null, top_k = -1, stream = false,
        });
        await server.AskAsync(Path, new { prompt = "a", max_tokens = 2, best_of = 2, n = 2, suffix = (string?)null });
    }

    [Fact]
    public async Task A_prompt_too_long_another_model_and_another_path_have_errors_of_their_own()
    {
        using var model = Endless();
        await using var server = await RunningServer.StartAsync(
            model, TinyTokenizer.Encoder, new EngineOptions { MaxLength = 16 }, options => options with { MostBodyBytes = 3000 });
        (await server.RefusedAsync(Path, """{"prompt":"seventeen letters"}""", 400)).GetProperty("code").GetString()
            .ShouldBe("context_length_exceeded");
        (await server.RefusedAsync(Path, """{"prompt":"a","model":"gpt-9"}""", 404)).GetProperty("code").GetString()
            .ShouldBe("model_not_found");
        await server.RefusedAsync("/v1/embeddings", "{}", 404);
        await server.RefusedAsync(Path, $$"""{"prompt":"{{new string('a', 4000)}}"}""", 413);
        using var get = await server.Client.GetAsync(Path);
        get.StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
        using var form = await server.Client.PostAsync(Path, new StringContent("{}", Encoding.UTF8, "text/plain"));
        form.StatusCode.ShouldBe(HttpStatusCode.UnsupportedMediaType);
    }

    [Fact]
    public async Task A_key_is_asked_of_everything_but_the_health()
    {
        using var model = Endless();
        await using var server = await RunningServer.StartAsync(
            model, TinyTokenizer.Encoder, null, options => options with { ApiKey = Key });
        (await server.RefusedAsync(Path, """{"prompt":"a"}""", 401)).GetProperty("code").GetString().ShouldBe("invalid_api_key");
        foreach (string wrong in (string[])["another", Key + "x", ""])
        {
            server.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", wrong);
            await server.RefusedAsync(Path, """{"prompt":"a"}""", 401);
        }

        (await server.Client.GetAsync("/health")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await server.Client.GetAsync("/v1/models")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        server.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        await server.AskAsync(Path, new { prompt = "a", max_tokens = 1 });
        (await server.Client.GetAsync("/v1/models")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Without_a_key_it_is_not_open_to_other_machines()
    {
        using var model = Endless();
        (
            await Should.ThrowAsync<ArgumentException>(
                () => RunningServer.StartAsync(model, TinyTokenizer.Encoder, null, options => options with { Address = IPAddress.Any })))
            .Message.ShouldContain("an API key is required");
        (
            await Should.ThrowAsync<ArgumentException>(
                () => RunningServer.StartAsync(model, TinyTokenizer.Encoder, null, options => options with { ApiKey = "short" })))
            .Message.ShouldContain("at least 16");
    }

    [Theory]
    [
        InlineData("evil.example", 403), InlineData("127.0.0.1.evil.example", 403), InlineData("localhost:99", 200),
        InlineData("127.0.0.1", 200), InlineData("[::1]:80", 200)]
    public async Task A_name_re_pointed_to_this_machine_does_not_get_through(string host, int status)
    {
        using var model = Endless();
        await using var server = await RunningServer.StartAsync(model, TinyTokenizer.Encoder);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
        request.Headers.Host = host;
        using var response = await server.Client.SendAsync(request);
        ((int)response.StatusCode).ShouldBe(status);
        response.Headers.Contains("Access-Control-Allow-Origin").ShouldBeFalse();
    }

    [Fact]
    public async Task One_request_more_than_may_wait_is_refused_and_a_client_who_leaves_makes_room()
    {
        using var model = Endless();
        await using var server = await RunningServer.StartAsync(
            model, TinyTokenizer.Encoder, new EngineOptions { Slots = 1 }, options => options with { MostRequests = 2 });
        using var leaving = new CancellationTokenSource();
        var first = server.SendAsync(Path, new { prompt = "a", max_tokens = 1_000_000 }, leaving.Token);
        await HealthAsync(server, health => health.GetProperty("running").GetInt32() == 1);
        var second = server.SendAsync(Path, new { prompt = "b", max_tokens = 3 });
        await HealthAsync(server, health => health.GetProperty("requests").GetInt32() == 2);

        using var refused = await server.SendAsync(Path, new { prompt = "c", max_tokens = 1 });
        refused.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        refused.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(1));

        leaving.Cancel(); // the slot is free only if the server notices: the model would go on for a million tokens
        await Should.ThrowAsync<OperationCanceledException>(() => first);
        using var answered = await second;
        answered.StatusCode.ShouldBe(HttpStatusCode.OK);
        await HealthAsync(
            server, health => health.GetProperty("requests").GetInt32() == 0 && health.GetProperty("running").GetInt32() == 0);
    }

    [Fact]
    public async Task A_reader_of_a_stream_who_leaves_frees_the_slot()
    {
        using var model = Endless();
        await using var server = await RunningServer.StartAsync(model, TinyTokenizer.Encoder, new EngineOptions { Slots = 1 });
        using var request = new HttpRequestMessage(HttpMethod.Post, Chat)
        {
            Content = new StringContent(
                JsonSerializer.Serialize(new { messages = TinyReasoner.Messages("a"), stream = true }), Encoding.UTF8, "application/json"),
        };
        using (var response = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead))
            (await response.Content.ReadAsStreamAsync()).ReadByte().ShouldBe('d');
        await HealthAsync(server, health => health.GetProperty("running").GetInt32() == 0);
        await server.AskAsync(Path, new { prompt = "b", max_tokens = 2 });
    }

    [Fact]
    public async Task A_model_that_fails_is_said_to_the_caller_and_by_the_health_until_it_recovers()
    {
        using var model = new ScriptedTokenModel(
            TinyTokenizer.Tokenizer.VocabularySize, 64, (sequence, logits) => logits.Fill(sequence.Length > 5 ? float.NaN : 1));
        var failures = new List<Exception>();
        await using var server = await RunningServer.StartAsync(
            model, TinyTokenizer.Encoder, null, options => options with { Failed = failures.Add });
        (await server.RefusedAsync(Path, """{"prompt":"longer prompt"}""", 500)).GetProperty("message").GetString()!
            .ShouldContain("not finite");
        using var health = await server.Client.GetAsync("/health");
        health.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        failures.Count.ShouldBe(1);
        await server.AskAsync(Path, new { prompt = "abc", max_tokens = 1 });
        await HealthAsync(server, body => body.GetProperty("status").GetString() == "ok");

        string stream = await (
            await server.SendAsync(Path, new { prompt = "abc", max_tokens = 9, stream = true })).Content.ReadAsStringAsync();
        stream.ShouldContain("not finite");
        stream.ShouldNotContain("[DONE]");
    }

    [Fact]
    public async Task The_models_are_listed_and_requests_are_told_without_their_words()
    {
        using var model = Endless();
        var served = new List<ServedRequest>();
        await using (
            var server = await RunningServer.StartAsync(
                model, TinyTokenizer.Encoder, null, options => options with { Served = request => { lock (served) served.Add(request); } }))
        {
            var list = JsonDocument.Parse(await server.Client.GetStringAsync("/v1/models")).RootElement;
            list.GetProperty("data")[0].GetProperty("id").GetString().ShouldBe("tiny");
            list.GetProperty("data")[0].GetProperty("max_model_len").GetInt32().ShouldBe(server.Engine.MaxLength);
            JsonDocument.Parse(await server.Client.GetStringAsync("/v1/models/tiny")).RootElement.GetProperty("object").GetString()
                .ShouldBe("model");
            await server.AskAsync(Path, new { prompt = "abc", max_tokens = 2 });
        }

        served.ShouldContain(
            request => request.Path == Path && request.Status == 200 && request.PromptTokens == 3 && request.CompletionTokens == 2);
    }

    private static ScriptedTokenModel Endless() =>
        new(
            TinyTokenizer.Tokenizer.VocabularySize, 2_000_000,
            ScriptedTokenModel.Slowly((_, logits) => { logits.Clear(); logits[TinyTokenizer.Tokens("a")[0]] = 9; }));

    private static async Task HealthAsync(RunningServer server, Func<JsonElement, bool> expected)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        while (true)
        {
            using var response = await server.Client.GetAsync("/health", patience.Token);
            if (expected(JsonDocument.Parse(await response.Content.ReadAsStringAsync(patience.Token)).RootElement)) return;
            await Task.Delay(10, patience.Token);
        }
    }
}
