using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Distill.Cli.Output;

/// <summary>
/// Standard output: lines and tables for people, or JSON for machines, never both. One thread. Every call may throw
/// <see cref="OutputLostException"/>.
/// </summary>
internal sealed class ResultWriter(ConsoleStreams streams, bool json)
{
    // Wide enough that a redirected table never wraps.
    private const int RedirectedWidth = 400;

    public static JsonSerializerOptions Spelling { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // never put into HTML
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>A line for people; left out under <c>--json</c>.</summary>
    public void Line(string text = "")
    {
        if (!json) streams.Out.WriteLine(TerminalText.Safe(text));
    }

    /// <summary>A table for people; left out under <c>--json</c>. Columns after <paramref name="words"/> hold numbers.</summary>
    public void Table(IReadOnlyList<string> header, IEnumerable<IReadOnlyList<string>> rows, int words = 1)
    {
        if (json) return;
        var table = new TextTable(header, [.. rows.Select(row => row.Select(TerminalText.OneLine).ToArray())], words);
        foreach (string line in table.Lines(streams.OutIsTerminal ? streams.Width() : RedirectedWidth)) streams.Out.WriteLine(line);
    }

    /// <summary>One JSON value on a line of its own.</summary>
    public void Json(object value)
    {
        streams.Out.WriteLine(JsonSerializer.Serialize(value, Spelling));
        streams.Out.Flush();
    }
}
