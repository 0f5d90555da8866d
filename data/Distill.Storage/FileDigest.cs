using System.Security.Cryptography;

namespace Distill.Storage;

/// <summary>SHA-256 in the one spelling used everywhere: 64 lower-case hexadecimal digits.</summary>
public static class FileDigest
{
    /// <summary>Characters of a digest.</summary>
    internal const int Length = 64;

    public static string Of(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    /// <summary>Digest of a stream from its current position to its end.</summary>
    public static string Of(Stream stream) => Convert.ToHexStringLower(SHA256.HashData(stream));

    /// <exception cref="IOException">The file cannot be read.</exception>
    public static string OfFile(string path)
    {
        using var stream = new FileStream(
            path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 16, FileOptions.SequentialScan);
        return Of(stream);
    }

    public static bool IsValid(string? digest) => digest is { Length: Length } && digest.All(char.IsAsciiHexDigitLower);
}
