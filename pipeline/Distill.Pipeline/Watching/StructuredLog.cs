using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Distill.Pipeline.Watching;

internal enum LogForm
{
    /// <summary>A line for people: time, level, event, fields, message.</summary>
    Text,

    /// <summary>A JSON object a line.</summary>
    Json,
}

internal enum LogLevel
{
    Info,
    Warning,
    Error,
}

/// <summary>A named value of a log line, e.g. <c>run</c> or <c>stage</c>; left out where the value is null.</summary>
internal readonly record struct LogField(string Name, object? Value);

/// <summary>
/// Lines for whoever collects logs. What happened has a name that stays (<c>stage_finished</c>), what it happened to is in fields, and the
/// message is for people. Every text passes through a scrubber first. Lines of a process that is traced name its trace. What cannot be
/// written, on a full disk, is left out: what is logged goes on. Thread-safe.
/// </summary>
/// <param name="scrub">Takes secrets out of a text.</param>
internal sealed class StructuredLog(TextWriter writer, LogForm form, TimeProvider clock, Func<string, string> scrub)
{
    public const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    private const int LongestText = 2_000;

    private static readonly JsonWriterOptions Spelling = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Lock gate = new();

    /// <summary>Of nobody.</summary>
    public static StructuredLog None { get; } = new(TextWriter.Null, LogForm.Text, TimeProvider.System, text => text);

    /// <param name="name">What happened, in snake case.</param>
    public void Write(LogLevel level, string name, string message, params ReadOnlySpan<LogField> fields)
    {
        if (ReferenceEquals(writer, TextWriter.Null)) return;
        string line = form == LogForm.Json ? Json(level, name, message, fields) : Text(level, name, message, fields);
        lock (gate)
        {
            try
            {
                writer.WriteLine(line);
            }
            catch (IOException)
            {
                // There is nobody left to tell.
            }
        }
    }

    private string Json(LogLevel level, string name, string message, ReadOnlySpan<LogField> fields)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Spelling))
        {
            json.WriteStartObject();
            json.WriteString("time", Now());
            json.WriteString("level", Word(level));
            json.WriteString("event", name);
            foreach (var field in fields)
            {
                if (field.Value is null) continue;
                json.WritePropertyName(field.Name);
                if (field.Value is int or long or double) json.WriteRawValue(Number(field.Value));
                else json.WriteStringValue(Clean(field.Value));
            }

            if (Activity.Current is { } span)
            {
                json.WriteString("trace_id", span.TraceId.ToHexString());
                json.WriteString("span_id", span.SpanId.ToHexString());
            }

            json.WriteString("message", Clean(message));
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private string Text(LogLevel level, string name, string message, ReadOnlySpan<LogField> fields)
    {
        var line = new StringBuilder().Append(Now()).Append(' ').Append(Word(level).PadRight(7)).Append(' ').Append(name);
        foreach (var field in fields)
        {
            if (field.Value is not null) line.Append(' ').Append(field.Name).Append('=').Append(Clean(field.Value));
        }

        return message.Length == 0 ? line.ToString() : line.Append(": ").Append(Clean(message)).ToString();
    }

    // One line stays one: what others said may hold line ends, and marks that steer terminals.
    private string Clean(object value)
    {
        string text = scrub(Convert.ToString(value, CultureInfo.InvariantCulture) ?? "");
        text = Storage.Printable.Of(text.ReplaceLineEndings(" "));
        return text.Length > LongestText ? text[..LongestText] + "…" : text;
    }

    private static string Number(object value) => value is double number && !double.IsFinite(number) ? "null"
        : Convert.ToString(value, CultureInfo.InvariantCulture)!;

    private static string Word(LogLevel level) => level switch
    {
        LogLevel.Info => "info",
        LogLevel.Warning => "warning",
        LogLevel.Error => "error",
        _ => throw new ArgumentOutOfRangeException(nameof(level), level, "Unknown level."),
    };

    private string Now() => clock.GetUtcNow().UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture);
}
