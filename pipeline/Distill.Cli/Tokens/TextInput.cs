using System.Text;

namespace Distill.Cli.Tokens;

/// <summary>The text of FILE, or of standard input where there is none; bounded, and never mended where it is not UTF-8.</summary>
internal static class TextInput
{
    /// <summary>Characters, or bytes of a file.</summary>
    public const int Most = 64 << 20;

    private const string TooLong = "is longer than 64 MiB; give it in parts.";
    private static readonly UTF8Encoding s_strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <param name="file">A path; null or <c>-</c> reads standard input.</param>
    /// <exception cref="UsageException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">Too long, or not UTF-8.</exception>
    public static string Read(string? file, CommandContext context) => file is null or "-" ? Standard(context) : Of(file);

    private static string Of(string file)
    {
        if (!File.Exists(file)) throw new UsageException($"There is no file '{file}'.", "Give a text file, or '-' for standard input.");
        if (new FileInfo(file).Length > Most) throw new InvalidDataException($"'{file}' {TooLong}");
        byte[] bytes = File.ReadAllBytes(file);
        int start = bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? Encoding.UTF8.Preamble.Length : 0;
        try
        {
            return s_strict.GetString(bytes, start, bytes.Length - start);
        }
        catch (DecoderFallbackException e)
        {
            throw new InvalidDataException($"'{file}' is not UTF-8: byte {start + Math.Max(e.Index, 0):N0} belongs to no character.", e);
        }
    }

    // Reading a terminal cannot be cancelled; waiting for it can.
    private static string Standard(CommandContext context)
    {
        if (context.Streams.InIsTerminal) context.Progress.Line("Reading standard input; end it with Ctrl-D on a line of its own.");
        context.Cancellation.ThrowIfCancellationRequested();
        return Task.Run(() => ToEnd(context.Streams.In)).WaitAsync(context.Cancellation).GetAwaiter().GetResult();
    }

    private static string ToEnd(TextReader reader)
    {
        var text = new StringBuilder();
        char[] part = new char[1 << 16];
        for (int count; (count = reader.Read(part, 0, part.Length)) > 0;)
        {
            if (text.Length + count > Most) throw new InvalidDataException($"Standard input {TooLong}");
            text.Append(part, 0, count);
        }

        return text.ToString();
    }
}
