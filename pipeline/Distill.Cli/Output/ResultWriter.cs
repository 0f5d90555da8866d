using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Spectre.Console;

namespace Distill.Cli.Output;

/// <summary>Standard output: lines and tables for people, or JSON for machines, never both. One thread.</summary>
internal sealed class ResultWriter(ConsoleStreams streams, bool json)
{
    // Wide enough that a redirected table never wraps.
    private const int RedirectedWidth = 400;
    private const int NarrowestWidth = 40;

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
        if (!json) streams.Out.WriteLine(SafeText.Of(text));
    }

    /// <summary>A table for people; left out under <c>--json</c>. Columns after <paramref name="words"/> hold numbers.</summary>
    public void Table(IReadOnlyList<string> header, IEnumerable<IReadOnlyList<string>> rows, int words = 1)
    {
        if (json) return;
        var table = new Table { Border = TableBorder.Simple };
        for (int i = 0; i < header.Count; i++)
        {
            var column = new TableColumn(Markup.Escape(header[i]));
            table.AddColumn(i < words ? column.LeftAligned() : column.RightAligned().NoWrap());
        }

        foreach (var row in rows) table.AddRow([.. row.Select(cell => new Text(SafeText.Of(cell)))]);
        var lines = Render(table).Split('\n').Select(line => line.TrimEnd()).Where(line => line.Length > 0);
        foreach (string line in lines) streams.Out.WriteLine(line);
    }

    /// <summary>One JSON value on a line of its own.</summary>
    public void Json(object value)
    {
        streams.Out.WriteLine(JsonSerializer.Serialize(value, Spelling));
        streams.Out.Flush();
    }

    // By way of a string, so that what surrounds a table on a terminal does not end up in files.
    private string Render(Table table)
    {
        using var text = new StringWriter();
        var settings = new AnsiConsoleSettings { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors, Out = new AnsiConsoleOutput(text) };
        var console = AnsiConsole.Create(settings);
        console.Profile.Width = streams.OutIsTerminal ? Math.Max(NarrowestWidth, AnsiConsole.Profile.Width) : RedirectedWidth;
        console.Profile.Capabilities.Unicode = true;
        console.Write(table);
        return text.ToString();
    }
}
