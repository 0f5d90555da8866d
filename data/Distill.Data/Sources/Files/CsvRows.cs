using System.Text;
using System.Text.Json;
using CsvHelper;
using Distill.Data.Problems;
using Distill.Storage;

namespace Distill.Data.Sources.Files;

/// <summary>
/// Comma-, semicolon- or tab-separated text with a header (RFC 4180): quoted fields may hold separators, quotes and line ends. Empty
/// fields count as absent. A row with more or fewer fields than the header, or with a stray quote, is a bad row.
/// </summary>
internal static class CsvRows
{
    private const int HeaderBytes = 1 << 16;

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <param name="separator">Null: what the header is separated by, a comma, a semicolon or a tab.</param>
    public static IEnumerable<SourceRow> Read(SourceFile file, char? separator)
    {
        separator = SeparatorOf(file, separator);
        using var stream = ExpandedStream.Open(file);
        CsvMalformedReason? malformed = null;
        using var reader = CsvReader.Create(stream, new CsvReaderOptions
        {
            Separator = separator,
            HasHeader = false,
            DetectSeparatorHint = false,
            SkipEmptyLines = true,
            TrackLineNumbers = true,
            MaxRecordSize = RowLimits.RowBytes,
            MalformedData = CsvMalformedDataHandling.Recover,
            OnMalformedRecord = record => malformed ??= record.Reason,
        });
        string[]? header = null;
        while (Next(reader, file))
        {
            if (header is null)
            {
                header = HeaderOf(Fields(reader) ?? throw NotUtf8(file, reader), file);
                malformed = null;
                continue;
            }

            var place = new SourcePlace(file.Name, "line", reader.LineNumber);
            string[] fields = Fields(reader) ?? throw NotUtf8(file, reader);
            if (malformed == CsvMalformedReason.UnterminatedQuote)
                throw new InvalidDataException($"{place}: a quote that is never closed; what follows it cannot be told apart into rows.");
            string? fault = malformed is { } reason ? Spoken(reason)
                : fields.Length != header.Length ? $"{fields.Length} fields where the header names {header.Length}" : null;
            malformed = null;
            if (fault is not null)
            {
                yield return new SourceRow(place, default, fault);
                continue;
            }

            using var document = JsonDocument.Parse(Object(header, fields));
            yield return new SourceRow(place, document.RootElement);
        }
    }

    private static bool Next(CsvReader reader, SourceFile file)
    {
        try
        {
            return reader.Read();
        }
        catch (CsvFormatException fault)
        {
            throw new InvalidDataException(Printable.Of(
                $"{file.Name}, line {fault.LineNumber}: a row of more than {RowLimits.RowBytes:N0} bytes; a quote that is never "
                    + "closed reads to "
                + "the end of the file."), fault);
        }
    }

    // A file cannot be told apart from row to row here: what follows a wrong byte may be anything.
    private static string[]? Fields(CsvReader reader)
    {
        var fields = new string[reader.FieldCount];
        try
        {
            for (int i = 0; i < fields.Length; i++) fields[i] = Strict.GetString(reader.GetSpan(i));
            return fields;
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private static InvalidDataException NotUtf8(SourceFile file, CsvReader reader) => new(Printable.Of(
        $"{file.Name}, line {reader.LineNumber}: not UTF-8. Save it as UTF-8 (Excel: 'CSV UTF-8'), "
            + "e.g. by iconv -f WINDOWS-1252 -t UTF-8."));

    private static string Spoken(CsvMalformedReason reason) => reason switch
    {
        CsvMalformedReason.StrayQuote => "a quote within a field that is not quoted; put the field in quotes and double the quote",
        _ => "quotes that do not fit; put the field in quotes and double each quote in it",
    };

    private static string[] HeaderOf(string[] record, SourceFile file)
    {
        string[] header = [.. record.Select(name => name.Trim())];
        if (header.Length > RowLimits.Columns)
            throw new InvalidDataException(Printable.Of(
                $"{file.Name}: {header.Length:N0} columns; at most {RowLimits.Columns:N0} are read."));
        if (header.Any(name => name.Length == 0))
            throw new InvalidDataException(Printable.Of(
                $"{file.Name}, line 1: a column without a name; the first line names the columns."));
        if (header.GroupBy(name => name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { Key: var twice })
            throw new InvalidDataException(
                $"{Printable.Of(file.Name)}, line 1: two columns are called {Printable.Quote(twice)}; rename one.");
        return header;
    }

    // A header of one field with semicolons in it is what spreadsheets of half of Europe write.
    private static char SeparatorOf(SourceFile file, char? known)
    {
        using var stream = ExpandedStream.Open(file);
        var first = new byte[HeaderBytes];
        int read = stream.ReadAtLeast(first, first.Length, throwOnEndOfStream: false);
        BoundedLines.RequireUtf8(first.AsSpan(0, read), file.Name);
        if (known is { } separator) return separator;
        int end = first.AsSpan(0, read).IndexOf((byte)'\n');
        var header = first.AsSpan(0, end < 0 ? read : end);
        return header.Contains((byte)',') ? ',' : header.Contains((byte)';') ? ';' : header.Contains((byte)'\t') ? '\t' : ',';
    }

    private static ReadOnlyMemory<byte> Object(string[] header, string[] fields)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(buffer);
        writer.WriteStartObject();
        for (int i = 0; i < header.Length; i++)
        {
            if (fields[i].Length == 0) writer.WriteNull(header[i]);
            else writer.WriteString(header[i], fields[i]);
        }

        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenMemory;
    }
}
