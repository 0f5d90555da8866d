using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Distill.Serving.Requests;
using Distill.Teacher.Tests.Fixtures;

namespace Distill.Teacher.Tests.Serving;

/// <summary>Fields that mean nothing here are accepted, and the documentation names each of them.</summary>
public sealed partial class AcceptedFieldsTests
{
    [Fact]
    public void The_documentation_names_them_all_and_no_other()
    {
        string text = File.ReadAllText(Path.Combine(RepositoryFolder.Root, "docs/serving.md"));
        int start = text.IndexOf("<!-- accepted -->", StringComparison.Ordinal);
        string table = text[start..text.IndexOf("<!-- end -->", start, StringComparison.Ordinal)];
        var named = Code().Matches(table).Select(match => match.Groups[1].Value);
        string[] known =
        [
            .. AcceptedFields.Everywhere, "store", .. AcceptedFields.Chat, .. AcceptedFields.Response, .. AcceptedFields.Message,
            .. AcceptedFields.EmptyOfMessage,
        ];
        named.Order(StringComparer.Ordinal).ShouldBe(known.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("/v1/chat/completions"), InlineData("/v1/responses"), InlineData("/v1/completions")]
    public async Task They_are_accepted_whatever_they_say_and_change_nothing(string path)
    {
        using var model = ScriptedChat.Model(_ => "Yes.");
        await using var server = await RunningServer.StartAsync(model, ScriptedChat.Encoder);
        JsonObject Body() => path switch
        {
            "/v1/completions" => new JsonObject { ["prompt"] = "<|assistant|>" },
            "/v1/responses" => new JsonObject { ["input"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "a" }) },
            _ => new JsonObject { ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "a" }) },
        };
        string[] own = path == "/v1/responses" ? AcceptedFields.Response : path == "/v1/completions" ? [] : AcceptedFields.Chat;
        foreach (JsonNode? value in (JsonNode?[])["low", 3, new JsonObject(), null])
        {
            var body = Body();
            foreach (string field in (string[])[.. AcceptedFields.Everywhere, .. own])
            {
                string[] names = field.Split('.');
                if (names.Length == 1) body[field] = value?.DeepClone();
                else ((JsonObject)(body[names[0]] ??= new JsonObject()))[names[1]] = value?.DeepClone();
            }

            (body["store"], body["stream_options"], body["temperature"]) = (false, new JsonObject(), null);
            if ((body["messages"] ?? body["input"])?[0] is JsonObject message)
            {
                foreach (string field in AcceptedFields.Message) message[field] = value?.DeepClone();
                if (path != "/v1/responses")
                {
                    foreach (string field in AcceptedFields.EmptyOfMessage) message[field] = null;
                    message["annotations"] = new JsonArray();
                }
            }

            var answer = await server.AskAsync(path, body);
            answer.GetRawText().ShouldContain("Yes.");
        }
    }

    [Fact]
    public async Task Log_probabilities_of_a_response_are_refused_and_an_empty_refusal_comes_back()
    {
        using var model = ScriptedChat.Model(_ => "Yes.");
        await using var server = await RunningServer.StartAsync(model, ScriptedChat.Encoder);
        var error = await server.RefusedAsync("/v1/responses", """{"input":"a","include":["message.output_text.logprobs"]}""", 400);
        error.GetProperty("param").GetString().ShouldBe("include");
        await server.AskAsync("/v1/responses", new { input = "a", include = new[] { "reasoning.encrypted_content" } });
        object[] messages = [new { role = "user", content = "a" }, new { role = "assistant", content = "b", refusal = "" }];
        await server.AskAsync("/v1/chat/completions", new { messages });
        await server.RefusedAsync("/v1/chat/completions", """{"messages":[{"role":"user","content":"a","refusal":"no"}]}""", 400);
    }

    [GeneratedRegex("`([a-z_.]+)`")]
    private static partial Regex Code();
}
