using Distill.Storage;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace Distill.Data.Sources.Files;

/// <summary>
/// A file as text: what is compressed by gzip or Zstandard, told by its first bytes, is expanded while it is read. A file that
/// expands beyond measure is refused before it fills memory or time. Disposing it closes the file.
/// </summary>
internal sealed class ExpandedStream : Stream
{
    /// <summary>Text compresses to a tenth, a table of equal rows to a hundredth; what goes beyond is no data.</summary>
    private const long MostRatio = 250;

    private const long Unsuspicious = 64L << 20;

    private const int WindowLog = 27; // 128 MiB: what zstd itself accepts without being told

    private readonly FileStream file;
    private readonly Stream expanded;
    private readonly string name;
    private long given;

    private ExpandedStream(FileStream file, Stream expanded, string name) => (this.file, this.expanded, this.name) = (file, expanded, name);

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => given; set => throw new NotSupportedException(); }

    /// <exception cref="InvalidDataException">The file is not there.</exception>
    public static ExpandedStream Open(SourceFile source)
    {
        var file = new FileStream(
            source.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 16, FileOptions.SequentialScan);
        Span<byte> first = stackalloc byte[4];
        int read = file.ReadAtLeast(first, 4, throwOnEndOfStream: false);
        file.Position = 0;
        Stream expanded = first[..read] switch
        {
            [0x1F, 0x8B, ..] => new WholeGzip(file),
            [0x28, 0xB5, 0x2F, 0xFD] => Zstandard(file),
            _ => file,
        };
        return new ExpandedStream(file, expanded, source.Name);
    }

    public override int Read(Span<byte> buffer)
    {
        int read;
        try
        {
            read = expanded.Read(buffer);
        }
        catch (Exception fault) when (fault is ZstdException or InvalidDataException or EndOfStreamException)
        {
            throw new InvalidDataException(
                Printable.Of($"{name}: what is compressed is damaged or cut off: {fault.Message.TrimEnd('.')}. Copy the file again."),
                    fault);
        }

        given += read;
        if (given > Unsuspicious && given > MostRatio * Math.Max(1, file.Position))
        {
            throw new InvalidDataException(Printable.Of(
                $"{name}: expands to more than {MostRatio} times its size; that is not what data does. "
                    + "Expand it yourself and look at it."));
        }

        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            expanded.Dispose();
            file.Dispose();
        }

        base.Dispose(disposing);
    }

    private static DecompressionStream Zstandard(FileStream file)
    {
        var stream = new DecompressionStream(file, checkEndOfStream: true, leaveOpen: true);
        stream.SetParameter(ZSTD_dParameter.ZSTD_d_windowLogMax, WindowLog);
        return stream;
    }
}
