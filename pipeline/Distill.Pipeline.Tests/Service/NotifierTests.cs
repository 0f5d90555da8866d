using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Distill.Service.Notifying;
using Distill.Service.Schedules;
using Distill.Teacher.Remote.Network;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Time.Testing;

namespace Distill.Pipeline.Tests.Service;

/// <summary>What is told, how it is spelled and signed, and what happens when nobody listens.</summary>
public sealed class NotifierTests : IDisposable
{
    private const string Hook = "DISTILL_TEST_WEBHOOK", Secret = "DISTILL_TEST_WEBHOOK_SECRET", Withheld = "DISTILL_TEST_OWN_SECRET";

    private static readonly RunNotice Failed = new(
        "nightly", "nightly-20261128t010000z", RunNotice.Failed, SampleSchedules.Utc("2026-11-28T01:00Z"),
        SampleSchedules.Utc("2026-11-28T01:00Z"), SampleSchedules.Utc("2026-11-28T02:03:04Z"), 3, "sft",
            "No space left <on> `device` @here",
        ["sft: not done yet", "error: *No space*"], "distill resume nightly-20261128t010000z", null, null);

    private readonly TemporaryFolder folder = new();
    private readonly FakeTimeProvider clock = new(SampleSchedules.Utc("2026-11-28T02:00Z"));

    private static CancellationToken Ending => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(Hook, null);
        Environment.SetEnvironmentVariable(Secret, null);
        Environment.SetEnvironmentVariable(Withheld, null);
        folder.Dispose();
    }

    [Fact]
    public async Task A_webhook_is_told_signed_and_again_after_what_may_pass()
    {
        await using var server = await Listener.Start(503, 429, 200);
        Environment.SetEnvironmentVariable(Hook, $"{server.Address}hooks/abc-secret");
        Environment.SetEnvironmentVariable(Secret, "shared-secret");
        (await Tell(Webhook() with { SecretEnv = Secret })).ShouldBeNull();
        server.Received.Count.ShouldBe(3);
        foreach (var (path, timestamp, signature, body) in server.Received)
        {
            path.ShouldBe("/hooks/abc-secret");
            signature.ShouldBe($"sha256={Notifiers.Sign("shared-secret", timestamp, Encoding.UTF8.GetBytes(body))}");
        }

        var json = JsonDocument.Parse(server.Received.Last().Body).RootElement;
        json.GetProperty("event").GetString().ShouldBe("run_ended");
        json.GetProperty("stage").GetString().ShouldBe("sft");
        json.GetProperty("continue").GetString().ShouldBe("distill resume nightly-20261128t010000z");
        json.GetProperty("last_lines").GetArrayLength().ShouldBe(2);
    }

    [Fact]
    public void A_signature_is_the_one_that_receivers_compute() => // openssl: printf '17.{}' | openssl dgst -sha256 -hmac key
        Notifiers.Sign("key", "17", "{}"u8).ShouldBe(Convert.ToHexStringLower(
            System.Security.Cryptography.HMACSHA256.HashData("key"u8, "17.{}"u8)));

    [Theory]
    [InlineData(404, 1)]
    [InlineData(500, 5)]
    public async Task What_is_refused_is_said_without_the_address(int status, int attempts)
    {
        await using var server = await Listener.Start(status);
        Environment.SetEnvironmentVariable(Hook, $"{server.Address}hooks/abc-secret");
        (await Tell(Webhook())).ShouldBe($"notifier 'team': the webhook answered {status}");
        server.Received.Count.ShouldBe(attempts);
    }

    [Fact]
    public async Task An_address_that_is_unset_elsewhere_or_dead_is_said_without_itself()
    {
        (await Tell(Webhook())).ShouldBe($"notifier 'team': the environment variable {Hook} is not set");
        Environment.SetEnvironmentVariable(Hook, "http://127.0.0.1:9/abc-secret");
        (await Tell(Webhook() with { Network = NetworkScope.Public })).ShouldBe($"notifier 'team': {Hook} holds no https address");
        (await Tell(Webhook())).ShouldBe("notifier 'team': the webhook cannot be reached (ConnectionError)");
        Environment.SetEnvironmentVariable(Hook, "https://127.0.0.1:9/abc-secret");
        (await Tell(Webhook() with { Network = NetworkScope.Public }))!.ShouldContain("not in the network 'public'");
    }

    [Fact]
    public async Task A_command_reads_the_facts_and_its_failure_is_said()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("There is no shell script on Windows.");
            return;
        }

        string script = folder.File("tell.sh",
            $"#!/bin/sh\ncat > '{folder.File("told.json")}'\necho \"$DISTILL_OUTCOME\" > '{folder.File("word")}'\n");
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        (await Tell(Command(script))).ShouldBeNull();
        JsonDocument.Parse(File.ReadAllText(folder.File("told.json"))).RootElement.GetProperty("run").GetString()
            .ShouldBe("nightly-20261128t010000z");
        File.ReadAllText(folder.File("word")).ShouldBe("failed\n");
        Environment.SetEnvironmentVariable(Withheld, "the service's own");
        string other = folder.File("other.sh", $"#!/bin/sh\necho \"<$DISTILL_TEST_OWN_SECRET>\" > '{folder.File("word")}'\n");
        File.SetUnixFileMode(other, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        (await Tell(Command(other))).ShouldBeNull();
        File.ReadAllText(folder.File("word")).ShouldBe("<>\n");
        (await Tell(Command("/bin/false"))).ShouldBe("notifier 'team': its program ended with code 1");
        (await Tell(Command(folder.File("none"))))!.ShouldContain("cannot be started");
    }

    [Theory]
    [InlineData("Slack", "text")]
    [InlineData("Mattermost", "text")]
    [InlineData("Discord", "content")]
    [InlineData("Teams", "attachments")]
    public void Every_chat_tool_gets_stage_reason_lines_and_command_with_nothing_in_them_that_it_obeys(string style, string key)
    {
        var body = MessageBodies.Of(Failed, Enum.Parse<MessageStyle>(style));
        body.ContainsKey(key).ShouldBeTrue();
        string text = JsonDocument.Parse(body.ToJsonString()).RootElement.GetRawText();
        foreach (string part in (string[])["sft", "No space left", "distill resume nightly-20261128t010000z", "not done yet", "1:03:04"])
            text.ShouldContain(part);
        string shown = System.Text.RegularExpressions.Regex.Unescape(text.Replace("\\\"", "'", StringComparison.Ordinal));
        shown.ShouldNotContain("`device`");
        shown.ShouldNotContain("@here");
        if (style == "Slack") shown.ShouldNotContain("<on>");
    }

    private async Task<string?> Tell(NotifierSection notifier)
    {
        var telling = new Notifiers(clock, [Withheld]).TellAsync(notifier, Failed, Ending);
        while (!telling.IsCompleted)
        {
            await Task.Delay(20, Ending);
            if (notifier.Command is null) clock.Advance(TimeSpan.FromSeconds(10)); // the waits between attempts
        }

        return await telling;
    }

    private static NotifierSection Webhook() => new() { Name = "team", WebhookEnv = Hook, Network = NetworkScope.Loopback };

    private static NotifierSection Command(string program) => new() { Name = "team", Command = program };

    /// <summary>Answers with one status after another, the last one for ever.</summary>
    private sealed class Listener(WebApplication application) : IAsyncDisposable
    {
        public ConcurrentQueue<(string Path, string Timestamp, string Signature, string Body)> Received { get; } = [];

        public string Address => application.Urls.Single() + "/";

        public static async Task<Listener> Start(params int[] answers)
        {
            var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
            builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
            var listener = new Listener(builder.Build());
            listener.Run(answers);
            await listener.StartAsync();
            return listener;
        }

        public ValueTask DisposeAsync() => application.DisposeAsync();

        private Task StartAsync() => application.StartAsync(Ending);

        private void Run(int[] answers) => application.Run(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            string body = await reader.ReadToEndAsync(Ending);
            var headers = context.Request.Headers;
            context.Response.StatusCode = answers[Math.Min(Received.Count, answers.Length - 1)];
            Received.Enqueue((context.Request.Path, headers["X-Distill-Timestamp"].ToString(),
                headers["X-Distill-Signature"].ToString(), body));
        });
    }
}
