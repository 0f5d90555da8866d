using System.Net;
using System.Net.Http.Headers;
using Distill.Pipeline.Tests.Service;
using Distill.Pipeline.Tests.Watching;
using Distill.Service.Hosting.Access;
using Microsoft.Extensions.Time.Testing;

namespace Distill.Pipeline.Tests.Access;

/// <summary>Whose word counts for where a request came from, by which names the service may be called, and how often keys may be
/// tried.</summary>
public sealed class ProxyTests : IDisposable
{
    private const string Key = "a-key-to-act-0123", Wrong = "no-key-of-theirs";

    private readonly TemporaryFolder folder = SampleSchedules.Folder();

    private static CancellationToken Ending => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("Forwarded", "for=127.0.0.1;host=localhost")]
    [InlineData("X-Forwarded-For", "127.0.0.1")]
    [InlineData("X-Forwarded-Host", "localhost")]
    [InlineData("X-Forwarded-Proto", "https")]
    [InlineData("X-Forwarded-Prefix", "/x")]
    [InlineData("X-Real-IP", "127.0.0.1")]
    [InlineData("Via", "1.1 proxy")]
    public async Task No_header_makes_anybody_local(string header, string value)
    {
        await using (var open = await WatchedService.Start(folder))
            (await Get(open, header: (header, value))).ShouldBe(HttpStatusCode.Forbidden); // a proxy that says so is one too many
        await using (var closed = await WatchedService.Start(folder, options => options with { Key = Key }))
        {
            (await Get(closed, header: (header, value))).ShouldBe(HttpStatusCode.Unauthorized);
            (await Get(closed, Key, (header, value))).ShouldBe(HttpStatusCode.OK);
        }

        await using var behind = await WatchedService.Start(
            folder, options => options with { Key = Key, Proxies = [ProxyNetwork.Parse("127.0.0.1")!.Value] });
        (await Get(behind, header: (header, value))).ShouldBe(HttpStatusCode.Unauthorized);
        (await Get(behind)).ShouldBe(HttpStatusCode.Unauthorized); // not even without one
    }

    [Fact]
    public async Task A_known_proxy_says_who_asks_and_an_unknown_one_does_not()
    {
        await using (var behind = await WatchedService.Start(
            folder, options => options with { Key = Key, Proxies = [ProxyNetwork.Parse("127.0.0.0/8")!.Value] }))
        {
            await Get(behind, Wrong, ("X-Forwarded-For", "203.0.113.9, 198.51.100.7"));
            behind.Log.ShouldContain("\"from\":\"198.51.100.7\""); // what the proxy saw; what stands before that, anybody can write
            behind.Log.ShouldNotContain("203.0.113.9");
        }

        await using var elsewhere = await WatchedService.Start(
            folder, options => options with { Key = Key, Proxies = [ProxyNetwork.Parse("10.0.0.1")!.Value] });
        await Get(elsewhere, Wrong, ("X-Forwarded-For", "198.51.100.7"));
        elsewhere.Log.ShouldContain("\"from\":\"127.0.0.1\"");
        elsewhere.Log.ShouldNotContain("198.51.100.7");
    }

    [Fact]
    public async Task Ten_wrong_keys_close_the_door_for_a_minute_to_that_address_alone()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var service = await WatchedService.Start(folder,
            options => options with { Key = Key, Proxies = [ProxyNetwork.Parse("127.0.0.1")!.Value] }, clock: clock);
        var (bad, good) = (("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-For", "203.0.113.10"));
        for (int i = 0; i < AttemptLimit.Most; i++) (await Get(service, Wrong, bad)).ShouldBe(HttpStatusCode.Unauthorized);
        (await Get(service, Wrong, bad)).ShouldBe(HttpStatusCode.TooManyRequests);
        (await Get(service, Key, bad)).ShouldBe(HttpStatusCode.TooManyRequests); // nobody learns that the eleventh was right
        (await Get(service, null, bad)).ShouldBe(HttpStatusCode.Unauthorized); // who tries none is only asked for one
        (await Get(service, Key, good)).ShouldBe(HttpStatusCode.OK);
        clock.Advance(AttemptLimit.Window);
        (await Get(service, Key, bad)).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public void The_limit_sees_the_network_of_an_IPv6_address_and_forgets()
    {
        var clock = new FakeTimeProvider();
        var limit = new AttemptLimit(clock);
        for (int i = 0; i < AttemptLimit.Most; i++) limit.Wrong(IPAddress.Parse($"2001:db8:1:2::{i:x}"));
        limit.Wait(IPAddress.Parse("2001:db8:1:2:ffff::1")).ShouldNotBeNull();
        limit.Wait(IPAddress.Parse("2001:db8:1:3::1")).ShouldBeNull();
        limit.Wait(IPAddress.Parse("::ffff:127.0.0.1")).ShouldBeNull();
        clock.Advance(AttemptLimit.Window);
        limit.Wait(IPAddress.Parse("2001:db8:1:2::1")).ShouldBeNull();
        limit.Wrong(IPAddress.Parse("2001:db8:1:2::1"));
        limit.Wait(IPAddress.Parse("2001:db8:1:2::1")).ShouldBeNull(); // counts anew
    }

    [Fact]
    public void Who_is_wrong_now_and_then_is_not_shut_out_and_who_has_the_key_starts_anew()
    {
        var clock = new FakeTimeProvider();
        var limit = new AttemptLimit(clock);
        var (slow, known) = (IPAddress.Parse("203.0.113.9"), IPAddress.Parse("203.0.113.10"));
        for (int i = 0; i < 5 * AttemptLimit.Most; i++)
        {
            limit.Wrong(slow);
            limit.Wait(slow).ShouldBeNull();
            clock.Advance(TimeSpan.FromSeconds(15));
        }

        for (int i = 0; i < 3 * AttemptLimit.Most; i++)
        {
            limit.Wrong(known);
            limit.Wait(known).ShouldBeNull();
            if (i % (AttemptLimit.Most - 1) == 0) limit.Right(known);
        }
    }

    [Fact]
    public async Task Probes_may_call_the_service_as_they_like_and_nobody_else_may()
    {
        await using (var named = await WatchedService.Start(
            folder, options => options with { Key = Key, AllowedHosts = ["distill.example.com"] }))
        {
            using var client = named.Client();
            client.DefaultRequestHeaders.Host = "10.1.2.3:8090";
            (await client.GetStringAsync("/health/live", Ending)).ShouldBe("live\n");
            (await client.GetStringAsync("/health/ready", Ending)).ShouldNotContain("reasons");
            foreach (string path in (string[])["/health", "/metrics", "/", "/health/live/more"])
                (await client.GetAsync(path, Ending)).StatusCode.ShouldBe(HttpStatusCode.Forbidden, path);
        }

        await using var open = await WatchedService.Start(folder);
        using var page = open.Client(); // of the Web, whose name was re-pointed here
        page.DefaultRequestHeaders.Host = "evil.example.com";
        (await page.GetAsync("/health/ready", Ending)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Theory]
    [InlineData("localhost", true)]
    [InlineData("127.0.0.1", true)]
    [InlineData("[::1]", true)]
    [InlineData("distill.example.com", false)]
    [InlineData("localhost.evil.example.com", false)]
    [InlineData("127.0.0.1.evil.example.com", false)]
    public async Task At_the_loopback_address_its_own_names_count_with_a_key_too(string host, bool isTaken)
    {
        await using (var service = await WatchedService.Start(folder, options => options with { Key = Key }))
            (await Get(service, Key, ("Host", host))).ShouldBe(isTaken ? HttpStatusCode.OK : HttpStatusCode.Forbidden);
        await using var named = await WatchedService.Start(
            folder, options => options with { Key = Key, AllowedHosts = ["distill.example.com"] });
        (await Get(named, Key, ("Host", host))).ShouldBe(
            isTaken || host == "distill.example.com" ? HttpStatusCode.OK : HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task Behind_a_proxy_the_name_is_the_one_that_people_use()
    {
        await using var service = await WatchedService.Start(folder, options => options with
        {
            Key = Key, Proxies = [ProxyNetwork.Parse("127.0.0.1")!.Value], AllowedHosts = ["distill.example.com"],
        });
        (await Get(service, Key, ("X-Forwarded-Host", "distill.example.com"))).ShouldBe(HttpStatusCode.OK);
        (await Get(service, Key, ("X-Forwarded-Host", "evil.example.com"))).ShouldBe(HttpStatusCode.Forbidden);
    }

    private static async Task<HttpStatusCode> Get(
        WatchedService service, string? key = null, (string Name, string Value)? header = null)
    {
        using var client = service.Client();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/style.css");
        if (key is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        if (header is { Name: "Host" } host) request.Headers.Host = host.Value;
        else if (header is { } other) request.Headers.TryAddWithoutValidation(other.Name, other.Value).ShouldBeTrue();
        using var response = await client.SendAsync(request, Ending);
        return response.StatusCode;
    }
}
