using System.Net;
using System.Security.Cryptography.X509Certificates;
using Distill.Pipeline.Tests.CommandLine;
using Distill.Pipeline.Tests.Service;
using Distill.Pipeline.Tests.Watching;
using Distill.Service.Hosting.Access;
using Microsoft.Extensions.Time.Testing;

namespace Distill.Pipeline.Tests.Access;

/// <summary>Answers by TLS, with a certificate that is replaced now and then.</summary>
public sealed class TransportTests : IDisposable
{
    private const string Key = "a-key-to-act-0123";

    private readonly TemporaryFolder folder = SampleSchedules.Folder();

    private static CancellationToken Ending => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task The_page_is_served_by_TLS_and_not_without()
    {
        var (path, key, thumbprint) = TestCertificate.Write(folder);
        await using var service = await WatchedService.Start(
            folder, options => options with
            {
                Key = Key, Certificate = new(path, key, null), AllowedHosts = ["distill.example.com"],
            });
        service.Address.Scheme.ShouldBe("https");
        using (var client = service.Client(Key, TestCertificate.Handler(thumbprint)))
        using (var here = await client.GetAsync("/style.css", Ending))
        {
            here.Headers.Contains("Strict-Transport-Security").ShouldBeFalse(); // it would be for all that answers on this machine
            client.DefaultRequestHeaders.Host = "distill.example.com";
            using var answer = await client.GetAsync("/", Ending);
            answer.StatusCode.ShouldBe(HttpStatusCode.OK);
            answer.Headers.GetValues("Strict-Transport-Security").Single().ShouldBe("max-age=31536000");
            answer.Headers.GetValues("X-Content-Type-Options").Single().ShouldBe("nosniff");
            answer.Headers.GetValues("Permissions-Policy").Single().ShouldContain("camera=()");
        }

        using var plain = new HttpClient { BaseAddress = new UriBuilder(service.Address) { Scheme = "http" }.Uri };
        await Should.ThrowAsync<HttpRequestException>(() => plain.GetAsync("/", Ending));
    }

    [Fact]
    public async Task A_PFX_with_a_password_does_too()
    {
        var (path, thumbprint) = TestCertificate.WritePfx(folder, "a-password");
        await using var service = await WatchedService.Start(
            folder, options => options with { Certificate = new(path, null, "a-password") });
        using var client = service.Client(null, TestCertificate.Handler(thumbprint));
        (await client.GetStringAsync("/health/live", Ending)).ShouldBe("live\n");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Authorities_between_the_root_and_the_certificate_are_sent_along(bool isPfx)
    {
        var (options, root) = TestCertificate.WriteChain(folder, isPfx);
        await using var service = await WatchedService.Start(folder, asked => asked with { Certificate = options });
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { root }, // which knows the root alone
            RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true,
        };
        using var client = new HttpClient(handler) { BaseAddress = new UriBuilder(service.Address) { Host = "localhost" }.Uri };
        (await client.GetStringAsync("/health/live", Ending)).ShouldBe("live\n");
    }

    [Fact]
    public void A_renewed_certificate_is_taken_and_a_broken_one_is_not()
    {
        var clock = new FakeTimeProvider();
        var (path, key, first) = TestCertificate.Write(folder);
        var served = new ServerCertificate(new(path, key, null), clock);
        served.Current().Thumbprint.ShouldBe(first);
        var (newPath, newKey, second) = TestCertificate.Write(folder, "renewed");
        File.Copy(newPath, path, overwrite: true);
        File.Copy(newKey, key, overwrite: true);
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddMinutes(1));
        clock.Advance(TimeSpan.FromMinutes(1));
        served.Current().Thumbprint.ShouldBe(second);

        File.WriteAllText(path, "-----BEGIN nothing");
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddMinutes(2));
        clock.Advance(TimeSpan.FromMinutes(1));
        served.Current().Thumbprint.ShouldBe(second);
        served.Fault.ShouldNotBeNull().ShouldContain(path);
    }

    [Fact]
    public async Task Health_says_that_a_certificate_ends_or_cannot_be_read_any_more()
    {
        var (path, key, thumbprint) = TestCertificate.Write(folder); // good for a day
        await using var service = await WatchedService.Start(folder, options => options with { Certificate = new(path, key, null) });
        using var client = service.Client(null, TestCertificate.Handler(thumbprint));
        string health = await client.GetStringAsync("/health", Ending);
        health.ShouldContain("degraded");
        health.ShouldContain("the certificate ends on");
        (await client.GetAsync("/health/ready", Ending)).StatusCode.ShouldBe(HttpStatusCode.OK); // it still answers
    }

    [Fact]
    public void What_is_no_certificate_or_has_no_key_is_said_at_the_start()
    {
        var (path, key, _) = TestCertificate.Write(folder);
        string none = folder.File("none.pem", "nothing");
        using var bare = X509Certificate2.CreateFromPem(File.ReadAllText(path));
        string pfx = folder.File("bare.pfx");
        File.WriteAllBytes(pfx, bare.Export(X509ContentType.Pfx));
        foreach (var options in (CertificateOptions[])
            [new(none, key, null), new(path, null, null), new(path, none, null), new(folder.File("absent.pem"), null, null),
                new(pfx, null, null)])
            Should.Throw<IOException>(() => new ServerCertificate(options, TimeProvider.System)).Message.ShouldContain(options.Path);
    }

    [Theory]
    [InlineData("--certificate-key says nothing without --certificate.", "--certificate-key", "page.key")]
    [InlineData("--proxy 'there' is no address.", "--proxy", "there")]
    [InlineData("everybody looks local behind a proxy", "--proxy", "127.0.0.1")]
    [InlineData("--oidc needs --oidc-client.", "--oidc", "https://login.example.com")]
    [InlineData("--oidc 'there' is no address.", "--oidc", "there", "--oidc-client", "me")]
    [InlineData("no claim lets anybody in", "--oidc", "https://login.example.com", "--oidc-client", "me")]
    [InlineData("--oidc-operator 'ml' is no claim with a value.", "--oidc", "https://l.example.com", "--oidc-client", "me",
        "--oidc-operator", "ml")]
    [InlineData("would be asked who somebody is without TLS", "--oidc", "http://login.example.com", "--oidc-client", "me",
        "--oidc-operator", "groups=ml")]
    [InlineData("signing in needs TLS", "--oidc", "https://login.example.com", "--oidc-client", "me", "--oidc-operator", "groups=ml",
        "--host", "0.0.0.0")]
    [InlineData("say nothing without --oidc.", "--oidc-client", "me")]
    public void It_does_not_start_with_what_cannot_be_meant(string message, params string[] options)
    {
        string file = folder.File("schedules.yaml", "schedules: []");
        var run = CommandLineRun.Of(["serve", "--schedules", file, "--runs", folder.File("runs"), "--port", "0", .. options]);
        run.Code.ShouldBe(2, run.Error);
        run.Error.ShouldContain(message);
    }
}
