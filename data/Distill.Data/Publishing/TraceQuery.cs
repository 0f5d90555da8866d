using System.Text.Json;
using Distill.Storage;
using DuckDB.NET.Data;

namespace Distill.Data.Publishing;

/// <summary>A query that cannot be run as it was written, in the database's words.</summary>
/// <param name="hint">What there is to ask for.</param>
internal sealed class QueryRefusedException(string message, string hint) : Exception(message)
{
    public string Hint { get; } = hint;
}

/// <summary>
/// Questions in SQL about a set of traces, answered by DuckDB in this process: a view <c>traces</c> over the files and, where problems
/// are at hand, one called <c>problems</c>. Only a single SELECT is run, in bounded memory; it can neither write nor read anything else
/// than these files. One thread at a time; whoever opens it disposes it.
/// </summary>
internal sealed class TraceQuery : IDisposable
{
    // No column has that name: one that had would be taken for the row.
    private const string Row = "distill_row_of_the_answer";

    private readonly DuckDBConnection database;

    private TraceQuery(DuckDBConnection database) => this.database = database;

    /// <param name="problems">Files of problems (JSON lines); may be empty.</param>
    /// <param name="memory">Most memory, as DuckDB spells it.</param>
    /// <exception cref="InvalidDataException">A file cannot be read.</exception>
    public static TraceQuery Open(TraceSet traces, IReadOnlyList<string> problems, string memory = "2GB")
    {
        List<string> views = [$"CREATE VIEW traces AS SELECT * FROM read_parquet([{Listed(traces.Files)}], union_by_name = true)"];
        if (problems.Count > 0)
        {
            views.Add("CREATE VIEW problems AS SELECT * FROM "
                + $"read_json([{Listed(problems)}], format = 'newline_delimited', union_by_name = true)");
        }

        try
        {
            return new TraceQuery(ClosedDatabase.Open([.. traces.Files, .. problems], views, memory, Environment.ProcessorCount));
        }
        catch (DuckDBException fault)
        {
            throw new InvalidDataException(Printable.Of($"Cannot query '{traces.Name}': {FirstLine(fault)}"), fault);
        }
    }

    /// <summary>The columns of each view with their types.</summary>
    public IReadOnlyList<(string View, string Column, string Type)> Columns()
    {
        using var command = database.CreateCommand();
        command.CommandText = "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal "
            + "ORDER BY table_name DESC, column_index";
        using var reader = command.ExecuteReader();
        var columns = new List<(string, string, string)>();
        while (reader.Read()) columns.Add((reader.GetString(0), reader.GetString(1), reader.GetString(2)));
        return columns;
    }

    /// <summary>The rows of an answer while they are enumerated, each as a JSON object whose properties are the columns.</summary>
    /// <exception cref="QueryRefusedException">It is no single SELECT, names what is not there, or takes too much memory.</exception>
    public IEnumerable<JsonElement> Run(string sql, CancellationToken cancellation = default)
    {
        sql = sql.Trim().TrimEnd(';');
        RequireSelect(sql);
        return Rows(sql, cancellation);
    }

    public void Dispose() => database.Dispose();

    private IEnumerable<JsonElement> Rows(string sql, CancellationToken cancellation)
    {
        using var command = database.CreateCommand();
        command.UseStreamingMode = true;
        // Line ends, so that a comment at the end of the question does not swallow the bracket.
        command.CommandText = $"SELECT to_json({Row})::VARCHAR FROM (\n{sql}\n) {Row}";
        using var stop = cancellation.Register(command.Cancel);
        using var reader = Try(command.ExecuteReader, cancellation);
        while (Try(reader.Read, cancellation)) yield return Parse(reader.GetString(0));
    }

    // The database writes numbers that JSON does not have as bare words.
    private static JsonElement Parse(string row)
    {
        try
        {
            using var document = JsonDocument.Parse(row, new JsonDocumentOptions { MaxDepth = 256 });
            return document.RootElement.Clone();
        }
        catch (JsonException fault)
        {
            throw new QueryRefusedException(
                $"A row of the answer cannot be told as JSON: {fault.Message}", "Cast what is not finite to VARCHAR.");
        }
    }

    /// <summary>Allowed files could be written to by COPY, so that nothing but a SELECT may pass.</summary>
    private void RequireSelect(string sql)
    {
        using var command = database.CreateCommand();
        command.CommandText = "SELECT json_serialize_sql($sql::VARCHAR)::VARCHAR";
        command.Parameters.Add(new DuckDBParameter("sql", sql));
        using var parsed = JsonDocument.Parse((string)Try(command.ExecuteScalar, default)!, new JsonDocumentOptions { MaxDepth = 1000 });
        var root = parsed.RootElement;
        if (root.GetProperty("error").GetBoolean())
        {
            throw new QueryRefusedException(
                Printable.Of($"The query is refused: {root.GetProperty("error_message").GetString()}"), "Give one SELECT. " + Hint());
        }

        if (root.GetProperty("statements").GetArrayLength() != 1)
            throw new QueryRefusedException("There is more or less than one statement.", "Give one SELECT. " + Hint());
    }

    private T Try<T>(Func<T> work, CancellationToken cancellation)
    {
        try
        {
            return work();
        }
        catch (DuckDBException fault)
        {
            cancellation.ThrowIfCancellationRequested();
            throw new QueryRefusedException(Printable.Of($"The query failed: {FirstLine(fault)}"), Hint());
        }
    }

    private string Hint() => string.Join(" ", Columns().GroupBy(column => column.View)
        .Select(view => $"{view.Key}: {string.Join(", ", view.Select(column => column.Column))}."));

    private static string Listed(IEnumerable<string> files) => string.Join(", ", files.Select(ClosedDatabase.QuoteFile));

    private static string FirstLine(Exception fault) => fault.Message.Split('\n')[0];
}
