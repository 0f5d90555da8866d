using System.IO.Compression;

namespace Distill.Data.Sources.Files;

/// <summary>
/// Expands gzip and notices where it is cut off, which .NET's own stream takes for the end. A known member is appended to the file: of a
/// whole file it is the last thing that is expanded, of one that is cut off it is the middle of another member. Disposing it closes
/// nothing.
/// </summary>
internal sealed class WholeGzip : Stream
{
    private static readonly byte[] Mark = [.. "distill: whole ."u8];

    private static readonly byte[] MarkMember = Compressed(Mark);

    private readonly GZipStream gzip;
    private readonly byte[] held = new byte[1 << 16];
    private int start;
    private int end;

    public WholeGzip(Stream file) => gzip = new GZipStream(new Appended(file), CompressionMode.Decompress);

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <exception cref="InvalidDataException">The file is damaged or cut off.</exception>
    public override int Read(Span<byte> buffer)
    {
        // What may be the mark is kept back until something follows it.
        while (end - start <= Mark.Length)
        {
            held.AsSpan(start, end - start).CopyTo(held);
            (start, end) = (0, end - start);
            int read = gzip.Read(held.AsSpan(end));
            if (read == 0) return held.AsSpan(0, end).SequenceEqual(Mark) ? 0 : throw new InvalidDataException("it ends before its end");
            end += read;
        }

        int given = Math.Min(buffer.Length, end - start - Mark.Length);
        held.AsSpan(start, given).CopyTo(buffer);
        start += given;
        return given;
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
        if (disposing) gzip.Dispose();
        base.Dispose(disposing);
    }

    private static byte[] Compressed(byte[] content)
    {
        using var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Optimal, leaveOpen: true)) gzip.Write(content);
        return stream.ToArray();
    }

    /// <summary>The file, then the member of the mark.</summary>
    private sealed class Appended(Stream file) : Stream
    {
        private int given;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(Span<byte> buffer)
        {
            int read = given == 0 ? file.Read(buffer) : 0;
            if (read > 0) return read;
            read = Math.Min(buffer.Length, MarkMember.Length - given);
            MarkMember.AsSpan(given, read).CopyTo(buffer);
            given += read;
            return read;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
