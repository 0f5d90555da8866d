using System.Text.Json.Nodes;
using Distill.Teacher.Remote.Endpoint;
using Distill.Teacher.Remote.Tests.Servers;
using Microsoft.AspNetCore.Http;

namespace Distill.Teacher.Remote.Tests.Endpoint;

public sealed class ApiKeyTests
{
    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("  \n")]
    public void A_variable_that_is_not_set_is_named(string? value) =>
        Should.Throw<InvalidDataException>(() => ApiKey.FromEnvironment("SOME_KEY", _ => value)).Message
            .ShouldContain("SOME_KEY is not set");

    [Theory]
    [InlineData("sk-secret\nX-Header: 1")]
    [InlineData("sk-secret with space")]
    [InlineData("sk-secrét")]
    public void What_no_header_carries_is_refused_without_being_shown(string value) =>
        Should.Throw<InvalidDataException>(() => ApiKey.FromEnvironment("SOME_KEY", _ => value)).Message.ShouldNotContain("secr");

    [Theory]
    [InlineData("OPENAI_API_KEY", true)]
    [InlineData("_KEY2", true)]
    [InlineData("sk-proj-abc", false)]
    [InlineData("hf_AbCdEf", false)]
    [InlineData("2KEY", false)]
    [InlineData("", false)]
    public void A_pasted_key_is_no_variable_name(string text, bool expected) => ApiKey.IsVariableName(text).ShouldBe(expected);

    [Fact]
    public void Words_that_local_servers_take_for_a_key_are_left_in_texts()
    {
        ApiKey.FromEnvironment("K", _ => "EMPTY").Redact("the set is EMPTY").ShouldBe("the set is EMPTY");
        ApiKey.FromEnvironment("K", _ => " sk-0123456789\n").Redact("got sk-0123456789!").ShouldBe("got ***!");
    }
}

/// <summary>Keys that are wrong, missing, or sent back to us.</summary>
public sealed class KeyTests
{
    [Fact]
    public async Task A_refused_key_is_named_by_its_variable()
    {
        await using var server = await ChatServer.StartAsync(Answers.Status(401, $"Incorrect API key provided: {Answers.Key}"));
        using var client = TestClient.Plain(server);
        var fault = await Should.ThrowAsync<RemoteTeacherException>(() => client.AskAsync());
        fault.ShouldBe(RemoteFaultKind.Refused, $"does not accept the key in the environment variable {TestClient.Variable}");
    }

    [Fact]
    public async Task A_missing_key_is_asked_for()
    {
        await using var server = await ChatServer.StartAsync(Answers.Status(401));
        using var client = new CompatibleChatClient(TestClient.Options(server), key: null);
        (await Should.ThrowAsync<RemoteTeacherException>(() => client.AskAsync())).Message.ShouldContain("api_key_env");
    }

    [Fact]
    public async Task The_key_is_nowhere_in_what_is_thrown_or_answered()
    {
        string padding = new('x', 290);
        (Func<HttpContext, Task> Answer, bool Fails)[] echoes =
        [
            (Answers.Status(401, $"bad key {Answers.Key}"), true),
            (Answers.Status(400, padding + Answers.Key), true), // the cut at 300 characters goes through the key
            (Answers.Status(500, $"Authorization: Bearer {Answers.Key}"), true),
            (Answers.Body($"data: {{\"error\":\"{Answers.Key}\"}}\n\n", "text/event-stream"), true),
            (Answers.Json($"{{\"{Answers.Key}"), true),
            (Answers.Status(302, location: $"https://example.com/?{Answers.Key}"), true),
            (Answers.Whole(new JsonObject { ["content"] = $"your key is {Answers.Key}" }), false),
            (Answers.Streamed($"your key is {Answers.Key}", Answers.Key), false),
        ];
        foreach (var (answer, fails) in echoes)
        {
            await using var server = await ChatServer.StartAsync(answer);
            using var client = TestClient.Plain(server);
            string seen;
            try
            {
                var response = await client.AskAsync();
                seen = string.Concat(response.Messages.SelectMany(message => message.Contents).Select(content => content.ToString()));
                fails.ShouldBeFalse();
            }
            catch (RemoteTeacherException fault)
            {
                seen = fault.ToString();
                fails.ShouldBeTrue(seen);
            }

            seen.ShouldNotContain(Answers.Key[..12]);
        }

        TestClient.Key.ToString().ShouldNotContain(Answers.Key[..12]);
    }
}
