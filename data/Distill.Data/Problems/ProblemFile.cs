using System.Text.Encodings.Web;
using System.Text.Json;

namespace Distill.Data.Problems;

/// <summary>
/// Problems as JSON lines, UTF-8, one object a line with the column names of traces (<c>problem_id</c>, <c>problem</c>,
/// <c>reference_answer</c>, …). Both directions stream. Unknown properties are ignored, so that other tools may add theirs.
/// </summary>
public static class ProblemFile
{
    /// <summary>Longest line accepted.</summary>
    public const int MaxLineBytes = 1024 * 1024;

    private static readonly JsonDocumentOptions ReadOptions = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    // Text stays readable: nothing here is put into HTML unescaped.
    private static readonly JsonWriterOptions WriteOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Reads while it is enumerated; the file is closed with the enumerator.</summary>
    /// <exception cref="InvalidDataException">While enumerating: a line is not a problem; names file, line and reason.</exception>
    public static IEnumerable<Problem> Read(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        foreach (var problem in Read(stream, path))
            yield return problem;
    }

    /// <param name="stream">Read to its end, not disposed.</param>
    /// <param name="name">What errors call the source.</param>
    /// <exception cref="InvalidDataException">While enumerating: a line is not a problem; names source, line and reason.</exception>
    public static IEnumerable<Problem> Read(Stream stream, string name)
    {
        var lines = new BoundedLines(stream, name, MaxLineBytes);
        while (lines.TryRead(out var line))
        {
            if (line.Span.Trim(" \t\r"u8).Length > 0)
                yield return Parse(line, $"{name}, line {lines.Number}");
        }
    }

    /// <param name="stream">Written to and flushed, not disposed.</param>
    /// <param name="problems">Enumerated once.</param>
    /// <returns>How many problems were written.</returns>
    public static int Write(Stream stream, IEnumerable<Problem> problems)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(problems);
        var count = 0;
        using var writer = new Utf8JsonWriter(stream, WriteOptions);
        foreach (var problem in problems)
        {
            Write(writer, problem);
            writer.Flush();
            stream.WriteByte((byte)'\n');
            writer.Reset();
            count++;
        }

        stream.Flush();
        return count;
    }

    private static void Write(Utf8JsonWriter writer, Problem problem)
    {
        writer.WriteStartObject();
        writer.WriteString("problem_id", problem.Id);
        writer.WriteString("family", problem.Family);
        writer.WriteString("domain", problem.Domain);
        writer.WriteString("split", SplitRule.Word(problem.Split));
        writer.WriteNumber("level", problem.Level);
        writer.WriteString("problem", problem.Text);
        writer.WriteString("reference_answer", problem.ReferenceAnswer);
        writer.WriteString("reference_solution", problem.ReferenceSolution);
        writer.WriteString("signature", problem.Signature);
        writer.WriteEndObject();
    }

    private static Problem Parse(ReadOnlyMemory<byte> line, string place)
    {
        try
        {
            using var document = JsonDocument.Parse(line, ReadOptions);
            var row = new ProblemRow(document.RootElement);
            return new Problem(
                row.Text("problem_id"),
                row.Text("family"),
                row.Text("domain"),
                row.Split("split"),
                row.Positive("level"),
                row.Text("problem"),
                row.Text("reference_answer"),
                row.OptionalText("reference_solution"),
                row.Text("signature"));
        }
        // InvalidOperationException: a property's name is not valid text, e.g. half a surrogate pair.
        catch (Exception reason) when (reason is JsonException or FormatException or InvalidOperationException)
        {
            throw new InvalidDataException($"{place}: {reason.Message}", reason);
        }
    }
}
