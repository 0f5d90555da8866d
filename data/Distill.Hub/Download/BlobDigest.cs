using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Distill.Hub.Network;

namespace Distill.Hub.Download;

/// <summary>
/// The digest by which the Hub names a file's content: SHA-256 of large files, else git's SHA-1 of a blob (of <c>blob</c>, the length, a
/// zero and the content). Fed in order; one thread. Dispose it.
/// </summary>
internal sealed class BlobDigest : IDisposable
{
    private readonly IncrementalHash hash;
    private readonly bool isGit;
    private readonly long size;

    /// <param name="size">Of the whole content, which git's digest begins with.</param>
    public BlobDigest(bool isGit, long size)
    {
        (this.isGit, this.size) = (isGit, size);
        hash = IncrementalHash.CreateHash(isGit ? HashAlgorithmName.SHA1 : HashAlgorithmName.SHA256);
        Begin();
    }

    public static BlobDigest Of(HubFile file) => new(file.Sha256 is null, file.Size);

    public void Append(ReadOnlySpan<byte> bytes) => hash.AppendData(bytes);

    /// <summary>Forgets what it was fed.</summary>
    public void Restart()
    {
        hash.GetHashAndReset();
        Begin();
    }

    /// <returns>Lower-case hexadecimal digits; afterwards it begins anew.</returns>
    public string Finish()
    {
        string digest = Convert.ToHexStringLower(hash.GetHashAndReset());
        Begin();
        return digest;
    }

    public void Dispose() => hash.Dispose();

    private void Begin()
    {
        if (isGit) hash.AppendData(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"blob {size}\0")));
    }
}
