using System.Text.Json;
using Distill.Data.Problems;
using Distill.Storage;

namespace Distill.Data.Sources.Files;

/// <summary>JSON lines: an object a line. A line that is none, or too long, is a bad row; the next one is read.</summary>
internal static class JsonLineRows
{
    public static IEnumerable<SourceRow> Read(SourceFile file)
    {
        using var stream = ExpandedStream.Open(file);
        var lines = new BoundedLines(stream, file.Name, RowLimits.RowBytes, skipsLong: true);
        while (lines.TryRead(out var line))
        {
            var place = new SourcePlace(file.Name, "line", lines.Number);
            if (lines.WasTooLong)
            {
                yield return new SourceRow(place, default, $"longer than {RowLimits.RowBytes:N0} bytes");
                continue;
            }

            if (line.Span.Trim(" \t\r"u8).Length == 0) continue;
            using var document = JsonRowText.TryParse(line, out string? fault);
            yield return document is null ? new SourceRow(place, default, fault) : new SourceRow(place, document.RootElement);
        }
    }
}

/// <summary>
/// A file that is one JSON value: a list of objects, or an object whose only list of objects is meant. Text that goes on like JSON lines
/// is read as such, since many such files are called <c>.json</c>.
/// </summary>
internal static class JsonRows
{
    public static IEnumerable<SourceRow> Read(SourceFile file)
    {
        if (IsLines(file))
        {
            foreach (var row in JsonLineRows.Read(file)) yield return row;
            yield break;
        }

        byte[] text = Whole(file);
        long line = 1;
        int counted = 0;
        foreach (var (start, length) in Items(text, file.Name))
        {
            line += text.AsSpan(counted, start - counted).Count((byte)'\n');
            counted = start;
            var place = new SourcePlace(file.Name, "line", line);
            using var document = JsonRowText.TryParse(text.AsMemory(start, length), out string? fault);
            yield return document is null ? new SourceRow(place, default, fault) : new SourceRow(place, document.RootElement);
        }
    }

    // The first line is an object by itself.
    private static bool IsLines(SourceFile file)
    {
        using var stream = ExpandedStream.Open(file);
        var lines = new BoundedLines(stream, file.Name, RowLimits.RowBytes, skipsLong: true);
        while (lines.TryRead(out var line))
        {
            if (lines.WasTooLong) return false;
            if (line.Span.Trim(" \t\r"u8).Length == 0) continue;
            if (line.Span.TrimStart(" \t"u8)[0] != (byte)'{') return false;
            using var document = JsonRowText.TryParse(line, out _);
            return document is not null && (HasMore(lines) || !HasList(document.RootElement));
        }

        return false;
    }

    private static bool HasMore(BoundedLines lines)
    {
        while (lines.TryRead(out var line))
        {
            if (lines.WasTooLong || line.Span.Trim(" \t\r"u8).Length > 0) return true;
        }

        return false;
    }

    private static bool HasList(JsonElement value) => value.ValueKind == JsonValueKind.Object && value.EnumerateObject().Any(property =>
        property.Value.ValueKind == JsonValueKind.Array && property.Value.GetArrayLength() > 0
        && property.Value[0].ValueKind == JsonValueKind.Object
        && property.Name is not ("messages" or "conversations"));

    private static byte[] Whole(SourceFile file)
    {
        using var stream = ExpandedStream.Open(file);
        using var text = new MemoryStream();
        var buffer = new byte[1 << 16];
        for (int read; (read = stream.Read(buffer)) > 0;)
        {
            text.Write(buffer, 0, read);
            if (text.Length > RowLimits.WholeFileBytes)
                throw new InvalidDataException(Printable.Of(
                    $"{file.Name}: one JSON value of more than {RowLimits.WholeFileBytes >> 20} MiB; write it as JSON lines "
                    + "(one object a line, .jsonl), which is read line by line."));
        }

        byte[] bytes = text.ToArray();
        BoundedLines.RequireUtf8(bytes, file.Name);
        return bytes.AsSpan().StartsWith("\uFEFF"u8) ? bytes[3..] : bytes;
    }

    private static List<(int Start, int Length)> Items(byte[] text, string name)
    {
        var items = new List<(int, int)>();
        try
        {
            var reader = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = RowLimits.JsonDepth + 3 });
            reader.Read();
            if (reader.TokenType == JsonTokenType.StartObject) FindList(ref reader, text, name);
            if (reader.TokenType != JsonTokenType.StartArray)
                throw new InvalidDataException($"{Printable.Of(name)}: neither a list of objects nor JSON lines.");
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                int start = (int)reader.TokenStartIndex;
                reader.Skip();
                items.Add((start, (int)reader.BytesConsumed - start));
            }

            return items;
        }
        catch (JsonException fault)
        {
            throw new InvalidDataException(Printable.Of($"{name}, line {fault.LineNumber + 1}: {JsonRowText.Reason(fault)}."), fault);
        }
    }

    // Leaves the reader at the list, which must be the only one.
    private static void FindList(ref Utf8JsonReader reader, byte[] text, string name)
    {
        Utf8JsonReader found = default;
        var names = new List<string>();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string property = reader.GetString()!;
            reader.Read();
            if (reader.TokenType == JsonTokenType.StartArray && IsListOfObjects(reader))
            {
                names.Add(property);
                found = reader;
            }

            reader.Skip();
        }

        if (names.Count != 1)
        {
            throw new InvalidDataException(Printable.Of(
                $"{name}: an object with "
                    + $"{(names.Count == 0 ? "no list" : $"several lists ({string.Join(", ", names.Take(5))})")} of objects; "
                + "write the problems as one list, or as JSON lines."));
        }

        reader = found;
    }

    private static bool IsListOfObjects(Utf8JsonReader list) => list.Read() && list.TokenType == JsonTokenType.StartObject;
}

/// <summary>The text of one row → its value.</summary>
internal static class JsonRowText
{
    /// <returns>Null where it is no object; the caller disposes it.</returns>
    public static JsonDocument? TryParse(ReadOnlyMemory<byte> text, out string? fault)
    {
        fault = null;
        JsonDocument? document = null;
        try
        {
            document = JsonDocument.Parse(text, RowLimits.Json);
            if (document.RootElement.ValueKind == JsonValueKind.Object) return document;
            fault = $"{Kind(document.RootElement.ValueKind)}, not an object with named values";
        }
        // InvalidOperationException: a property's name is not valid text, e.g. half a surrogate pair.
        catch (Exception reason) when (reason is JsonException or InvalidOperationException)
        {
            fault = reason is JsonException json ? Reason(json) : "a name in it is not valid text";
        }

        document?.Dispose();
        return null;
    }

    /// <summary>What the parser says, without the path and position that it appends.</summary>
    public static string Reason(JsonException fault)
    {
        string message = fault.Message;
        int end = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        if (end >= 0) message = message[..end];
        int path = message.IndexOf(" Path:", StringComparison.Ordinal);
        if (path >= 0) message = message[..path];
        string column = fault.BytePositionInLine is { } position ? $" (column {position + 1})" : "";
        return $"not JSON: {message.TrimEnd('.', ' ')}{column}";
    }

    public static string Kind(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Array => "a list",
        JsonValueKind.Object => "an object",
        JsonValueKind.String => "text",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "true or false",
        _ => "nothing",
    };
}
