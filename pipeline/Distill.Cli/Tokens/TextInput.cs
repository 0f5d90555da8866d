using System.Globalization;
using System.Text;
using System.Text.Json;

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
        if (Directory.Exists(file)) throw new UsageException($"'{file}' is a folder.", "Give a text file, or '-' for standard input.");
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

    /// <summary>Without the line ends; the last one opens no line of its own.</summary>
    public static string[] Lines(string text)
    {
        string[] split = [.. text.Split('\n').Select(line => line.TrimEnd('\r'))];
        return split[^1].Length == 0 ? split[..^1] : split;
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

/// <summary>
/// A chat as a template takes it: a JSON array of messages, an object with <c>messages</c> and whatever else the template knows, or
/// plain text, which is one message of the user.
/// </summary>
internal static class ChatInput
{
    public const string GenerationPrompt = "add_generation_prompt";
    private const string Messages = "messages";

    /// <summary>The template's variables.</summary>
    /// <exception cref="InvalidDataException">JSON, but not a chat.</exception>
    public static IReadOnlyDictionary<string, JsonElement> Parse(string text)
    {
        string start = text.TrimStart();
        if (!start.StartsWith('[') && !start.StartsWith('{')) return OfMessages(JsonSerializer.SerializeToElement(
            new[] { new { role = "user", content = text.TrimEnd('\r', '\n') } }));
        JsonElement root;
        try
        {
            root = JsonDocument.Parse(text).RootElement;
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"The chat is not JSON: {e.Message}", e);
        }

        if (root.ValueKind == JsonValueKind.Array) return OfMessages(Checked(root));
        if (!root.TryGetProperty(Messages, out var messages)) throw new InvalidDataException("The chat has no 'messages'.");
        Checked(messages);
        return root.EnumerateObject().GroupBy(property => property.Name).ToDictionary(group => group.Key, group => group.Last().Value);
    }

    private static Dictionary<string, JsonElement> OfMessages(JsonElement messages) => new() { [Messages] = messages };

    private static JsonElement Checked(JsonElement messages)
    {
        if (messages.ValueKind != JsonValueKind.Array) throw new InvalidDataException("'messages' is not an array of {role, content}.");
        int number = 0;
        foreach (var message in messages.EnumerateArray())
        {
            number++;
            bool hasRole = message.ValueKind == JsonValueKind.Object && message.TryGetProperty("role", out var role)
                && role.ValueKind == JsonValueKind.String;
            if (!hasRole)
                throw new InvalidDataException($"Message {number} is not an object with a 'role'.");
        }

        return messages;
    }
}

/// <summary>Token ids as people paste them: separated by blanks or commas, with or without brackets.</summary>
internal static class IdList
{
    private static readonly char[] s_separators = [' ', '\t', '\r', '\n', ',', '[', ']'];

    /// <exception cref="InvalidDataException">A word is no id.</exception>
    public static int[] Parse(string text) =>
        [.. text.Split(s_separators, StringSplitOptions.RemoveEmptyEntries).Select((word, index) =>
            int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out int id) ? id
            : throw new InvalidDataException($"Word {index + 1} of the ids, '{Shortened(word)}', is not a token id; "
                + "ids are whole numbers, separated by blanks or commas."))];

    private static string Shortened(string word) => word.Length <= 20 ? word : word[..20] + "…";
}
