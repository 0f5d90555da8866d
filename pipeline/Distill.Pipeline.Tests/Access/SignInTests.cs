using System.Net;
using System.Text.RegularExpressions;
using Distill.Pipeline.Tests.Service;
using Distill.Pipeline.Tests.Watching;
using Distill.Service.Hosting.Access;

namespace Distill.Pipeline.Tests.Access;

/// <summary>People who sign in with a provider: what they may do, what their browser keeps, what a provider that lies gets
/// them.</summary>
public sealed partial class SignInTests : IAsyncLifetime
{
    private readonly TemporaryFolder folder = SampleSchedules.Folder();
    private readonly CookieContainer cookies = new();
    private IdentityProvider provider = null!;
    private WatchedService service = null!;
    private HttpClient client = null!;

    private static CancellationToken Ending => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        provider = await IdentityProvider.Start();
        var (path, key, thumbprint) = TestCertificate.Write(folder);
        var roles = new[] { new ClaimRole("groups", "ml", MayAct: true), new ClaimRole("groups", "guests", MayAct: false) };
        service = await WatchedService.Start(folder, options => options with
        {
            Certificate = new(path, key, null), SignIn = new(provider.Address, IdentityProvider.Client, IdentityProvider.Secret, roles),
        });
        client = service.Client(null, TestCertificate.Handler(thumbprint, cookies));
        client.DefaultRequestHeaders.Accept.ParseAdd("text/html");
    }

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        await service.DisposeAsync();
        await provider.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task A_browser_is_sent_to_the_provider_and_comes_back_to_where_it_wanted_to_with_a_cookie_for_this_host_alone()
    {
        using var first = await client.GetAsync("/?from=link", Ending);
        first.StatusCode.ShouldBe(HttpStatusCode.Found);
        string asked = first.Headers.Location!.AbsoluteUri;
        asked.ShouldStartWith(new Uri(provider.Address, "/authorize").AbsoluteUri);
        foreach (string part in (string[])["code_challenge=", "code_challenge_method=S256", "nonce=", "state=", "response_type=code"])
            asked.ShouldContain(part);
        asked.ShouldNotContain(IdentityProvider.Secret);
        first.Headers.GetValues("Set-Cookie").ShouldAllBe(cookie => IsStrict(cookie));

        using var returned = await Return(first.Headers.Location!);
        (returned.StatusCode, returned.Headers.Location!.OriginalString).ShouldBe((HttpStatusCode.Found, "/?from=link"));
        string session = returned.Headers.GetValues("Set-Cookie")
            .Single(cookie => cookie.StartsWith("__Host-distill=", StringComparison.Ordinal));
        IsStrict(session).ShouldBeTrue(session);
        session.ShouldNotContain("domain=", Case.Insensitive);
        string page = await client.GetStringAsync("/", Ending);
        page.ShouldContain("<button"); // who is in the group may act
        page.ShouldContain("href=\"/sign-out\">Ada &lt;b&gt;"); // a name is only a name
    }

    [Theory]
    [InlineData("//evil.example/x")]
    [InlineData("/%5Cevil.example/x")]
    public async Task Nobody_is_sent_to_another_host_after_signing_in(string path)
    {
        var wanted = new Uri(service.Address.GetLeftPart(UriPartial.Authority) + path, new UriCreationOptions
            { DangerousDisablePathAndQueryCanonicalization = true });
        using var first = await client.GetAsync(wanted, Ending);
        first.StatusCode.ShouldBe(HttpStatusCode.Found);
        using var returned = await Return(first.Headers.Location!);
        returned.Headers.Location!.OriginalString.ShouldBe("/");
    }

    [Fact]
    public async Task A_page_that_asks_for_itself_anew_is_told_and_its_browser_shows_no_window_for_a_password()
    {
        foreach (var (mode, asks) in (IEnumerable<(string, bool)>)[("cors", false), ("navigate", true)])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/api/overview");
            request.Headers.Add("Sec-Fetch-Mode", mode);
            request.Headers.Accept.ParseAdd("application/json"); // in the place of the client's
            using var answer = await client.SendAsync(request, Ending);
            answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
            (answer.Headers.WwwAuthenticate.Count > 0).ShouldBe(asks, mode);
        }
    }

    [Fact]
    public async Task A_link_of_somebody_else_ends_no_session()
    {
        await SignInAsync();
        (await client.GetAsync("/signout-oidc", Ending)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await client.GetStringAsync("/", Ending)).ShouldContain("<button");
    }

    [Fact]
    public async Task The_cookie_of_a_form_goes_by_TLS_alone()
    {
        await SignInAsync();
        using var page = await client.GetAsync("/", Ending);
        page.Headers.GetValues("Set-Cookie").Single(cookie => cookie.Contains("Antiforgery", StringComparison.Ordinal))
            .ShouldContain("; secure");
    }

    [Fact]
    public async Task Who_has_the_role_to_act_acts_by_a_form_of_the_page_and_by_no_other()
    {
        await SignInAsync();
        string token = FormToken().Match(await client.GetStringAsync("/", Ending)).Groups[1].Value;
        (await Post("/schedules/nightly/pause", null)).ShouldBe(HttpStatusCode.BadRequest);
        (await Post("/schedules/nightly/pause", token, ("Sec-Fetch-Site", "cross-site"))).ShouldBe(HttpStatusCode.Forbidden);
        (await Post("/schedules/nightly/pause", token, ("Origin", "https://evil.example.com"))).ShouldBe(HttpStatusCode.Forbidden);
        service.Store.IsPaused("nightly").ShouldBeFalse();
        (await Post("/schedules/nightly/pause", token)).ShouldBe(HttpStatusCode.SeeOther);
        service.Store.IsPaused("nightly").ShouldBeTrue();
    }

    [Fact]
    public async Task Who_has_the_role_to_look_looks()
    {
        provider.Groups = ["guests"];
        await SignInAsync();
        string page = await client.GetStringAsync("/", Ending);
        page.ShouldNotContain("<button");
        (await Post("/schedules/nightly/pause", "x")).ShouldBe(HttpStatusCode.Forbidden);
        (await client.GetStringAsync("/metrics", Ending)).ShouldContain("distill_ready");
    }

    [Fact]
    public async Task Whom_the_provider_knows_and_nobody_let_in_stays_outside()
    {
        provider.Groups = ["sales"];
        using var returned = await SignInAsync();
        returned.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await returned.Content.ReadAsStringAsync(Ending)).ShouldBe("Your account has no role here.\n");
        await ShouldBeOutsideAsync();
        service.Log.ShouldContain("\"reason\":\"role\"");
    }

    [Theory]
    [InlineData(ProviderLie.OtherIssuer)]
    [InlineData(ProviderLie.OtherAudience)]
    [InlineData(ProviderLie.OtherNonce)]
    [InlineData(ProviderLie.NoNonce)]
    [InlineData(ProviderLie.Expired)]
    [InlineData(ProviderLie.NotYet)]
    [InlineData(ProviderLie.Unsigned)]
    [InlineData(ProviderLie.OtherKey)]
    [InlineData(ProviderLie.SecretAsKey)]
    [InlineData(ProviderLie.ChangedPayload)]
    [InlineData(ProviderLie.NoToken)]
    public async Task A_token_that_is_not_what_it_should_be_lets_nobody_in(ProviderLie lie)
    {
        provider.Lie = lie;
        using var returned = await SignInAsync();
        returned.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await returned.Content.ReadAsStringAsync(Ending)).ShouldBe("Signing in did not succeed. Go back to the page and try once more.\n");
        await ShouldBeOutsideAsync();
        service.Log.ShouldContain("\"reason\":\"sign-in\"");
        service.Log.ShouldNotContain(IdentityProvider.Secret);
        provider.Lie = ProviderLie.None;
        using var honest = await SignInAsync();
        honest.StatusCode.ShouldBe(HttpStatusCode.Found); // it was the lie
    }

    [Fact]
    public async Task A_return_that_this_browser_did_not_ask_for_lets_nobody_in()
    {
        using var first = await client.GetAsync("/", Ending);
        using var approved = await client.GetAsync(first.Headers.Location!, Ending);
        var back = approved.Headers.Location!;
        string thumbprint = System.Security.Cryptography.X509Certificates.X509CertificateLoader
            .LoadCertificateFromFile(folder.File("page.pem")).Thumbprint;
        using (var other = service.Client(null, TestCertificate.Handler(thumbprint, new CookieContainer())))
        using (var stolen = await other.GetAsync(back, Ending))
            stolen.StatusCode.ShouldBe(HttpStatusCode.Forbidden); // a link that somebody was made to follow
        using (var forged = await client.GetAsync(new Uri(service.Address, "/signed-in?code=x&state=y"), Ending))
            forged.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        using (var bare = await client.GetAsync(new Uri(service.Address, "/signed-in"), Ending))
            bare.StatusCode.ShouldNotBe(HttpStatusCode.OK);
        await ShouldBeOutsideAsync();
    }

    [Fact]
    public async Task Programs_are_asked_for_a_key_and_a_made_one_acts()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
        request.Headers.Accept.ParseAdd("text/plain");
        client.DefaultRequestHeaders.Accept.Clear();
        using (var asked = await client.SendAsync(request, Ending)) asked.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        client.DefaultRequestHeaders.Authorization = new("Bearer", File.ReadAllText(service.KeyFile!).Trim());
        (await client.GetStringAsync("/", Ending)).ShouldContain("<button");
    }

    [Fact]
    public async Task Signing_out_ends_the_session_by_a_form_alone()
    {
        await SignInAsync();
        string page = await client.GetStringAsync("/sign-out", Ending);
        page.ShouldContain("Ada &lt;b&gt;");
        (await Post("/sign-out", null)).ShouldBe(HttpStatusCode.BadRequest);
        (await Post("/sign-out", FormToken().Match(page).Groups[1].Value)).ShouldBe(HttpStatusCode.OK);
        await ShouldBeOutsideAsync();
    }

    [Fact]
    public async Task A_cookie_that_was_changed_or_made_up_lets_nobody_in()
    {
        await SignInAsync();
        var cookie = cookies.GetCookies(service.Address)["__Host-distill"]!;
        string value = cookie.Value;
        cookie.Value = value[..^8] + (value[^8] == 'A' ? 'B' : 'A') + value[^7..];
        await ShouldBeOutsideAsync();
        cookie.Value = "made-up";
        await ShouldBeOutsideAsync();
    }

    private static bool IsStrict(string cookie) => cookie.Contains("; secure", StringComparison.OrdinalIgnoreCase)
        && cookie.Contains("; httponly", StringComparison.OrdinalIgnoreCase)
        && cookie.Contains("; samesite=lax", StringComparison.OrdinalIgnoreCase);

    private async Task<HttpResponseMessage> SignInAsync()
    {
        using var first = await client.GetAsync("/sign-in", Ending);
        first.StatusCode.ShouldBe(HttpStatusCode.Found);
        return await Return(first.Headers.Location!);
    }

    private async Task<HttpResponseMessage> Return(Uri authorize)
    {
        using var approved = await client.GetAsync(authorize, Ending);
        return await client.GetAsync(approved.Headers.Location!, Ending);
    }

    private async Task ShouldBeOutsideAsync()
    {
        using var response = await client.GetAsync("/", Ending);
        response.StatusCode.ShouldBe(HttpStatusCode.Found);
        response.Headers.Location!.Host.ShouldBe(provider.Address.Host);
        response.Headers.Location.Port.ShouldBe(provider.Address.Port);
    }

    private async Task<HttpStatusCode> Post(string path, string? token, (string Name, string Value)? header = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new FormUrlEncodedContent(token is null ? []
                : new Dictionary<string, string> { ["__RequestVerificationToken"] = token }),
        };
        if (header is { } given) request.Headers.TryAddWithoutValidation(given.Name, given.Value);
        using var response = await client.SendAsync(request, Ending);
        return response.StatusCode;
    }

    [GeneratedRegex("name=\"__RequestVerificationToken\"\\s+value=\"([^\"]+)\"")]
    private static partial Regex FormToken();
}
