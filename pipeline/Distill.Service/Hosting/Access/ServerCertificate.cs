using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Distill.Service.Hosting.Access;

/// <summary>
/// The service's certificate, read again when its file was replaced, as those that renew themselves are. One that cannot be read leaves the
/// one before it in use. Thread-safe; certificates are left to connections that may still use them.
/// </summary>
internal sealed class ServerCertificate
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    private readonly CertificateOptions options;
    private readonly TimeProvider clock;
    private readonly Lock gate = new();

    private Loaded loaded;
    private long looked;

    private sealed record Loaded(X509Certificate2 Certificate, SslStreamCertificateContext Context, DateTime Written);

    /// <exception cref="IOException">It cannot be read, or has no key.</exception>
    public ServerCertificate(CertificateOptions options, TimeProvider clock)
    {
        (this.options, this.clock) = (options, clock);
        loaded = Load();
        looked = clock.GetTimestamp();
    }

    /// <summary>When it is good no longer.</summary>
    public DateTimeOffset Ends => new(Now().Certificate.NotAfter);

    /// <summary>Why the file of now is not in use; null when it is.</summary>
    public string? Fault { get; private set; }

    public X509Certificate2 Current() => Now().Certificate;

    /// <summary>What a connection answers with: the certificate and the authorities between it and the root.</summary>
    public SslServerAuthenticationOptions Answer() => new() { ServerCertificateContext = Now().Context };

    private Loaded Now()
    {
        lock (gate)
        {
            if (clock.GetElapsedTime(looked) < Interval) return loaded;
            looked = clock.GetTimestamp();
            try
            {
                if (Written() != loaded.Written) loaded = Load();
                Fault = null;
            }
            catch (IOException fault)
            {
                Fault = fault.Message;
            }

            return loaded;
        }
    }

    private DateTime Written() => new[] { options.Path, options.KeyPath ?? options.Path }.Max(File.GetLastWriteTimeUtc);

    private Loaded Load()
    {
        try
        {
            var written = Written();
            bool isPem = File.ReadAllText(options.Path).Contains("-----BEGIN", StringComparison.Ordinal);
            var chain = new X509Certificate2Collection();
            X509Certificate2 certificate;
            if (isPem)
            {
                certificate = options.Password is null ? X509Certificate2.CreateFromPemFile(options.Path, options.KeyPath ?? options.Path)
                    : X509Certificate2.CreateFromEncryptedPemFile(options.Path, options.Password, options.KeyPath ?? options.Path);
                chain.ImportFromPemFile(options.Path);
            }
            else
            {
                chain = X509CertificateLoader.LoadPkcs12CollectionFromFile(options.Path, options.Password);
                certificate = chain.FirstOrDefault(one => one.HasPrivateKey)
                    ?? throw new IOException($"The certificate '{options.Path}' has no private key.");
            }

            return certificate.HasPrivateKey
                ? new(certificate, SslStreamCertificateContext.Create(certificate, chain, offline: true), written)
                : throw new IOException($"The certificate '{options.Path}' has no private key. Give it with --certificate-key.");
        }
        catch (Exception fault) when (fault is CryptographicException or UnauthorizedAccessException or ArgumentException)
        {
            throw new IOException($"The certificate '{options.Path}' cannot be used: {fault.Message}", fault);
        }
    }
}
