using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Distill.Service.Hosting.Access;

namespace Distill.Pipeline.Tests.Access;

/// <summary>Certificates of this machine that nobody vouches for, and clients that trust exactly one of them.</summary>
internal static class TestCertificate
{
    /// <returns>Paths of the certificate and of its key (PEM), and what the client has to see.</returns>
    public static (string Path, string Key, string Thumbprint) Write(TemporaryFolder folder, string name = "page")
    {
        using var made = Make(name);
        string path = folder.File($"{name}.pem", made.ExportCertificatePem());
        using var key = made.GetRSAPrivateKey()!;
        return (path, folder.File($"{name}.key", key.ExportPkcs8PrivateKeyPem()), made.Thumbprint);
    }

    public static (string Path, string Thumbprint) WritePfx(TemporaryFolder folder, string password)
    {
        using var made = Make("pfx");
        string path = folder.File("page.pfx");
        File.WriteAllBytes(path, made.Export(X509ContentType.Pfx, password));
        return (path, made.Thumbprint);
    }

    /// <summary>A certificate of localhost that an authority vouches for, for which a root does.</summary>
    /// <returns>Files with the certificate and the authority, and the root alone.</returns>
    public static (CertificateOptions Options, X509Certificate2 Root) WriteChain(TemporaryFolder folder, bool isPfx)
    {
        using RSA rootKey = RSA.Create(2048), authorityKey = RSA.Create(2048), key = RSA.Create(2048);
        var (from, until) = (DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var root = Request("root", rootKey, isAuthority: true).CreateSelfSigned(from, until);
        using var authority = Request("authority", authorityKey, isAuthority: true).Create(root, from, until, [1])
            .CopyWithPrivateKey(authorityKey);
        using var leaf = Request("localhost", key, isAuthority: false).Create(authority, from, until, [2]);
        using var own = leaf.CopyWithPrivateKey(key);
        if (!isPfx)
        {
            string pem = folder.File("chain.pem", leaf.ExportCertificatePem() + "\n" + authority.ExportCertificatePem());
            return (new(pem, folder.File("chain.key", key.ExportPkcs8PrivateKeyPem()), null), root);
        }

        using var bare = X509CertificateLoader.LoadCertificate(authority.RawData);
        string pfx = folder.File("chain.pfx");
        File.WriteAllBytes(pfx, new X509Certificate2Collection { bare, own }.Export(X509ContentType.Pfx, "a-password")!);
        return (new(pfx, null, "a-password"), root);
    }

    public static SocketsHttpHandler Handler(string thumbprint, CookieContainer? cookies = null)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = cookies is not null };
        if (cookies is not null) handler.CookieContainer = cookies;
        handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, _) => shown is X509Certificate2 certificate
            && certificate.Thumbprint == thumbprint;
        return handler;
    }

    private static CertificateRequest Request(string name, RSA key, bool isAuthority)
    {
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, critical: true));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        return request;
    }

    private static X509Certificate2 Make(string name)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }
}
