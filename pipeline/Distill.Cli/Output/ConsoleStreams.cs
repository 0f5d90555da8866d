using System.Runtime.InteropServices;
using System.Text;

namespace Distill.Cli.Output;

/// <summary>
/// The three streams of a process, and which of them a person watches. Results that cannot be written are a fault
/// (<see cref="OutputLostException"/>); words on standard error that cannot be written are given up, and the work goes on without them.
/// </summary>
internal sealed record ConsoleStreams
{
    private const int UsualWidth = 80, NarrowestWidth = 20;

    public ConsoleStreams(TextReader input, TextWriter output, TextWriter error)
    {
        In = input;
        Out = new GuardedWriter(output, fault => throw new OutputLostException(fault));
        Error = new GuardedWriter(error, _ => { });
    }

    public TextReader In { get; }

    public TextWriter Out { get; }

    public TextWriter Error { get; }

    public bool InIsTerminal { get; init; }

    public bool OutIsTerminal { get; init; }

    /// <summary>The next key that a person presses, unseen until somebody shows it; null where lines come whole.</summary>
    public Func<ConsoleKeyInfo>? Keys { get; init; }

    public bool ErrorIsTerminal { get; init; }

    /// <summary>Columns of the terminal, asked anew whenever something is drawn, for windows change.</summary>
    public Func<int> Width { get; init; } = () => UsualWidth;

    /// <summary>Whether colours are welcome: on a terminal, unless NO_COLOR says otherwise.</summary>
    public bool IsColoured { get; init; } = string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));

    /// <summary>Never fails: a stream that is closed or cannot be opened is an empty input or an output that cannot be written.</summary>
    public static ConsoleStreams OfProcess() =>
        new(Or(() => Console.In, TextReader.Null), Writer(Console.OpenStandardOutput, 1), Writer(Console.OpenStandardError, 2))
        {
            InIsTerminal = Or(() => !Console.IsInputRedirected, false),
            Keys = Or(() => !Console.IsInputRedirected && !Console.IsOutputRedirected, false) && !IsDumb
                ? () => Console.ReadKey(intercept: true) : null,
            OutIsTerminal = Or(() => !Console.IsOutputRedirected, false),
            ErrorIsTerminal = Or(() => !Console.IsErrorRedirected, false),
            Width = () => Math.Max(NarrowestWidth, Or(() => Console.WindowWidth is > 0 and var width ? width : UsualWidth, UsualWidth)),
        };

    private static bool IsDumb =>
        !OperatingSystem.IsWindows() && Environment.GetEnvironmentVariable("TERM") is null or "" or "dumb";

    // The console's own writer takes its encoding from the locale; ours is always UTF-8.
    private static StreamWriter Writer(Func<Stream> open, int descriptor) =>
        new(new WatchedPipe(Or(open, Unwritable()), descriptor), new UTF8Encoding(false)) { AutoFlush = true };

    private static Stream Unwritable() => new MemoryStream([], writable: false);

    private static T Or<T>(Func<T> value, T otherwise)
    {
        try
        {
            return value();
        }
        catch (Exception fault) when (GuardedWriter.IsLoss(fault) || fault is InvalidOperationException or PlatformNotSupportedException)
        {
            return otherwise;
        }
    }
}

/// <summary>Standard output could not be written: results are missing.</summary>
internal sealed class OutputLostException(Exception reason) : Exception("Standard output could not be written: " + reason.Message, reason)
{
    /// <summary>Nobody reads any more, as after <c>| head</c>: who left has what he wanted.</summary>
    public bool ReaderLeft => InnerException is ReaderLeftException;
}

/// <summary>The other end of the pipe is closed.</summary>
internal sealed class ReaderLeftException() : IOException("nobody reads it any more.");

/// <summary>Writes on until a write fails; then says so once a write, and writes no more. Thread-safe.</summary>
internal sealed class GuardedWriter(TextWriter inner, Action<Exception> lost) : TextWriter
{
    private readonly Lock gate = new();
    private Exception? fault;

    public override Encoding Encoding => inner.Encoding;

    public static bool IsLoss(Exception fault) =>
        fault is IOException or UnauthorizedAccessException or ObjectDisposedException or NotSupportedException;

    public override void Write(char value) => Try(() => inner.Write(value));

    public override void Write(string? value) => Try(() => inner.Write(value));

    public override void Write(char[] buffer, int index, int count) => Try(() => inner.Write(buffer, index, count));

    public override void WriteLine(string? value) => Try(() => inner.WriteLine(value));

    public override void Flush() => Try(inner.Flush);

    private void Try(Action write)
    {
        lock (gate)
        {
            try
            {
                if (fault is null) write();
            }
            catch (Exception failure) when (IsLoss(failure))
            {
                fault = failure;
            }

            if (fault is not null) lost(fault);
        }
    }
}

/// <summary>
/// A stream of the process that notices when its reader leaves. .NET drops what is written to a closed pipe without a word, so that a
/// program goes on for nobody.
/// </summary>
internal sealed partial class WatchedPipe(Stream inner, int descriptor) : Stream
{
    private const short Error = 8, HangUp = 16; // POLLERR, POLLHUP

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        inner.Write(buffer);
        if (!OperatingSystem.IsWindows() && ReaderLeft()) throw new ReaderLeftException();
    }

    public override void Flush() => inner.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private bool ReaderLeft()
    {
        var asked = new PollDescriptor { Descriptor = descriptor };
        return Poll(ref asked, 1, 0) > 0 && (asked.Found & (Error | HangUp)) != 0;
    }

    [LibraryImport("libc", EntryPoint = "poll")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Poll(ref PollDescriptor descriptors, nuint count, int timeout);

    [StructLayout(LayoutKind.Sequential)]
    private struct PollDescriptor
    {
        public int Descriptor;
        public short Asked;
        public short Found;
    }
}
