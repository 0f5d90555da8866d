using System.CommandLine;
using System.Text.Json;
using Distill.Cli.Models;
using Distill.Cli.Output;
using Distill.Cli.Parsing;
using Distill.Data.Publishing;

namespace Distill.Cli.Commands.Traces;

/// <summary><c>distill traces query</c>.</summary>
internal sealed class TracesQueryCommand : DistillCommand
{
    private const int UsualRows = 1000, LongestCell = 200;

    private readonly Argument<string> sql = new("SQL")
    {
        Description = "One SELECT, as DuckDB reads it. The view 'traces' has a row for each trace; of a run there is 'problems' too.",
    };

    private readonly Argument<string?> source = TraceSource.OptionalArgument();
    private readonly Option<bool> csv = new("--csv") { Description = "Print CSV: a header, then a line for each row." };
    private readonly Option<bool> columns = new("--columns") { Description = "Show the columns there are; the query is not run." };
    private readonly Option<int> limit = CommandOptions.Number("--limit", "Most rows of a table.", 1, 100_000, UsualRows);
    private readonly Option<int> memory = CommandOptions.Number("--memory", "Most memory, in MiB.", 16, 1 << 20, 2048);
    private readonly Option<string> runs = RunArguments.RunsOption();

    public TracesQueryCommand()
        : base("query", "Asks about traces in SQL: how many, how long, which verdicts. Reads those files alone and changes nothing.")
    {
        Arguments.Add(sql);
        Arguments.Add(source);
        foreach (var option in (Option[])[csv, columns, limit, memory, runs]) Options.Add(option);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "distill traces query 'select verdict, count(*) from traces group by 1' quickstart",
        "distill traces query 'select domain, avg(completion_tokens) from traces group by 1' quickstart --json",
        "distill traces query 'select p.level, avg(keep::int) from traces join problems p using (problem_id) group by 1' quickstart",
    ];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        var found = TraceSource.Find(parsed.GetValue(source), parsed.GetRequiredValue(runs), context);
        if (parsed.GetValue(csv) && context.IsJson) throw new UsageException("--csv and --json exclude each other.", "Keep one of them.");
        using var query = TraceQuery.Open(found.Traces, found.Problems, $"{parsed.GetValue(memory)}MiB");
        try
        {
            if (parsed.GetValue(columns)) ShowColumns(query, context);
            else Show(query.Run(parsed.GetRequiredValue(sql), context.Cancellation), parsed, context);
        }
        catch (QueryRefusedException refused)
        {
            throw new UsageException(refused.Message, refused.Hint);
        }

        return ExitCode.Done;
    }

    private static void ShowColumns(TraceQuery query, CommandContext context)
    {
        var all = query.Columns();
        if (context.IsJson) context.Results.Json(all.Select(each => new { view = each.View, column = each.Column, type = each.Type }));
        context.Results.Table(["column", "view", "type"], all.Select(each => (string[])[each.Column, each.View, each.Type]), words: 3);
    }

    private void Show(IEnumerable<JsonElement> rows, ParseResult parsed, CommandContext context)
    {
        if (context.IsJson) context.Results.Json(new { rows });
        else if (parsed.GetValue(csv)) WriteCsv(rows, context);
        else ShowTable([.. rows.Take(parsed.GetValue(limit) + 1)], parsed.GetValue(limit), context);
    }

    private static void ShowTable(List<JsonElement> rows, int most, CommandContext context)
    {
        if (rows.Count == 0)
        {
            context.Results.Line("No rows.");
            return;
        }

        string[] header = [.. rows[0].EnumerateObject().Select(cell => cell.Name)];
        // Words to the left, numbers to the right: a table keeps the words first.
        int words = header.TakeWhile((_, i) => rows.Any(row => row.EnumerateObject().ElementAt(i).Value.ValueKind
            is not (JsonValueKind.Number or JsonValueKind.Null))).Count();
        context.Results.Table(
            [.. header.Select(TerminalText.Escaped)], rows.Take(most).Select(row => row.EnumerateObject().Select(Cell).ToArray()),
            Math.Max(1, words));
        if (rows.Count > most) context.Results.Line($"… and more: --limit shows more than {most:N0}, --json and --csv all.");
    }

    private static string Cell(JsonProperty cell)
    {
        if (cell.Value.ValueKind == JsonValueKind.Null) return Readable.None;
        string text = TextOf(cell.Value);
        return TerminalText.Escaped(text.Length <= LongestCell ? text : text[..LongestCell] + "…");
    }

    private static void WriteCsv(IEnumerable<JsonElement> rows, CommandContext context)
    {
        bool begun = false;
        foreach (var row in rows)
        {
            if (!begun) context.Streams.Out.Write(CsvLine(row.EnumerateObject().Select(cell => cell.Name)));
            begun = true;
            context.Streams.Out.Write(CsvLine(row.EnumerateObject().Select(cell => TextOf(cell.Value))));
        }
    }

    // RFC 4180.
    private static string CsvLine(IEnumerable<string> cells) => string.Join(',', cells.Select(cell =>
        cell.AsSpan().IndexOfAny(",\"\r\n") < 0 ? cell : $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"")) + "\r\n";

    private static string TextOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Null => "",
        _ => value.GetRawText(),
    };
}
