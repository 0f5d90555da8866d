using System.Text.Encodings.Web;
using System.Text.Json;
using Distill.Storage;

namespace Distill.Data.Problems;

/// <summary>
/// Problems as JSON lines, UTF-8, one object a line with the column names of traces (<c>problem_id</c>, <c>problem</c>,
/// <c>reference_answer</c>, …). Both directions stream, but for the ids, none of which may come twice. A byte order mark is skipped,
/// unknown properties are ignored, so that other tools may add theirs.
/// </summary>
public static class ProblemFile
{
    /// <summary>Longest line accepted.</summary>
    public const int MaxLineBytes = 1024 * 1024;

    private static readonly JsonDocumentOptions ReadOptions = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    // Text stays readable: nothing here is put into HTML unescaped.
    private static readonly JsonWriterOptions WriteOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Reads while it is enumerated; the file is closed with the enumerator.</summary>
    /// <exception cref="InvalidDataException">
    /// While enumerating: a line is no problem or has the id of an earlier one; names file, line and reason.
    /// </exception>
    public static IEnumerable<Problem> Read(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        foreach (var problem in Read(stream, path))
            yield return problem;
    }

    /// <param name="stream">Read to its end, not disposed.</param>
    /// <param name="name">What errors call the source.</param>
    /// <exception cref="InvalidDataException">
    /// While enumerating: a line is no problem or has the id of an earlier one; names source, line and reason.
    /// </exception>
    public static IEnumerable<Problem> Read(Stream stream, string name)
    {
        var lines = new BoundedLines(stream, name, MaxLineBytes);
        var lineOf = new Dictionary<string, int>(StringComparer.Ordinal);
        while (lines.TryRead(out var line))
        {
            if (line.Span.Trim(" \t\r"u8).Length == 0)
                continue;
            var place = $"{name}, line {lines.Number}";
            var problem = Parse(line, place);
            // Answers, votes and twins are told apart by the id alone.
            if (!lineOf.TryAdd(problem.Id, lines.Number))
            {
                throw new InvalidDataException(Printable.Of(
                    $"{place}: the problem_id {Printable.Quote(problem.Id)} is that of {name}, line {lineOf[problem.Id]}, too; "
                    + "every problem needs its own."));
            }

            yield return problem;
        }
    }

    /// <param name="stream">Written to and flushed, not disposed.</param>
    /// <param name="problems">Enumerated once.</param>
    /// <returns>How many problems were written.</returns>
    /// <exception cref="ArgumentException">Two problems have the same id, so that the file could not be read again.</exception>
    public static int Write(Stream stream, IEnumerable<Problem> problems)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(problems);
        var ids = new HashSet<string>(StringComparer.Ordinal);
        using var writer = new Utf8JsonWriter(stream, WriteOptions);
        foreach (var problem in problems)
        {
            if (!ids.Add(problem.Id))
                throw new ArgumentException($"Two problems have the id {Printable.Quote(problem.Id)}.", nameof(problems));
            Write(writer, problem);
            writer.Flush();
            stream.WriteByte((byte)'\n');
            writer.Reset();
        }

        stream.Flush();
        return ids.Count;
    }

    /// <summary>One line's object.</summary>
    /// <exception cref="FormatException">It is no problem; the message says why.</exception>
    internal static Problem Read(JsonElement line)
    {
        var row = new ProblemRow(line);
        // Files of earlier versions call it family.
        string source = row.OptionalText("source") ?? row.OptionalText("family") ?? row.Text("source");
        return new Problem(
            row.Text("problem_id"),
            source,
            row.Text("domain"),
            row.Split("split"),
            row.Positive("level"),
            row.Text("problem"),
            row.Text("reference_answer"),
            row.OptionalText("reference_solution"),
            row.Text("signature"))
        {
            Verifier = row.OptionalText("verifier") ?? source,
            System = row.OptionalText("system"),
            Choices = row.Texts("choices"),
        };
    }

    private static void Write(Utf8JsonWriter writer, Problem problem)
    {
        writer.WriteStartObject();
        writer.WriteString("problem_id", problem.Id);
        writer.WriteString("source", problem.Source);
        writer.WriteString("domain", problem.Domain);
        writer.WriteString("split", SplitRule.Word(problem.Split));
        writer.WriteNumber("level", problem.Level);
        writer.WriteString("problem", problem.Text);
        writer.WriteString("reference_answer", problem.ReferenceAnswer);
        writer.WriteString("reference_solution", problem.ReferenceSolution);
        writer.WriteString("signature", problem.Signature);
        if (problem.Verifier != problem.Source) writer.WriteString("verifier", problem.Verifier);
        if (problem.System is not null) writer.WriteString("system", problem.System);
        if (problem.Choices.Count > 0)
        {
            writer.WriteStartArray("choices");
            foreach (string choice in problem.Choices) writer.WriteStringValue(choice);
            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }

    private static Problem Parse(ReadOnlyMemory<byte> line, string place)
    {
        try
        {
            using var document = JsonDocument.Parse(line, ReadOptions);
            return Read(document.RootElement);
        }
        // InvalidOperationException: a property's name is not valid text, e.g. half a surrogate pair.
        catch (Exception reason) when (reason is JsonException or FormatException or InvalidOperationException)
        {
            throw new InvalidDataException(Printable.Of($"{place}: {reason.Message}"), reason);
        }
    }
}

/// <summary>One JSON object of a problem file, read property by property.</summary>
/// <exception cref="FormatException">From every member: the property is missing or of another kind; the message says which.</exception>
internal readonly struct ProblemRow
{
    private readonly JsonElement row;

    public ProblemRow(JsonElement row)
    {
        if (row.ValueKind != JsonValueKind.Object)
            throw new FormatException($"a JSON object is expected, found {row.ValueKind}.");
        this.row = row;
    }

    public string Text(string name) => OptionalText(name) ?? throw new FormatException($"'{name}' is missing.");

    public string? OptionalText(string name)
    {
        if (!row.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
            return null;
        if (value.ValueKind != JsonValueKind.String)
            throw new FormatException($"'{name}' is a {value.ValueKind}, a string is expected.");
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException reason)
        {
            // What JsonElement throws for a string with half a surrogate pair.
            throw new FormatException($"'{name}' is not valid text: {reason.Message}", reason);
        }
    }

    /// <returns>Empty when the property is missing.</returns>
    public IReadOnlyList<string> Texts(string name)
    {
        if (!row.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
            return [];
        if (value.ValueKind != JsonValueKind.Array || value.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.String))
            throw new FormatException($"'{name}' is not a list of strings.");
        return [.. value.EnumerateArray().Select(item => item.GetString()!)];
    }

    public Split Split(string name)
    {
        var word = Text(name);
        return SplitRule.TryParse(word, out var split)
            ? split
            : throw new FormatException($"'{name}' is {Printable.Quote(word)}; it must be train, validation or test.");
    }

    public int Positive(string name) =>
        row.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number > 0
            ? number
            : throw new FormatException($"'{name}' is missing or not a whole number above 0.");
}
