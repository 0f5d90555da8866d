using Distill.Storage;
using DuckDB.NET.Data;

namespace Distill.Data.Publishing;

/// <summary>Something that is counted, by its word.</summary>
internal sealed record Tally(string Word, long Count);

/// <summary>Middle and long end of a distribution of lengths.</summary>
internal sealed record Lengths(long Median, long P95, long Longest);

/// <summary>Rows of one file that belong to one split.</summary>
/// <param name="Rows">All of them.</param>
/// <param name="Published">Those that are published.</param>
internal sealed record FilePart(string File, string Split, long Rows, long Published);

/// <summary>
/// What a set of traces holds, counted by DuckDB column by column, so that memory stays flat however many there are. Verdicts and reasons
/// count all traces, so that a reader sees what was left out; the rest counts those that are published.
/// </summary>
internal sealed record TraceStatistics
{
    private const string View = "traces";

    public required long Rows { get; init; }

    public required long Problems { get; init; }

    public required IReadOnlyList<FilePart> Parts { get; init; }

    public required Lengths CompletionTokens { get; init; }

    public required Lengths PromptTokens { get; init; }

    /// <summary>Empty for ungraded traces.</summary>
    public required IReadOnlyList<Tally> Verdicts { get; init; }

    /// <inheritdoc cref="Verdicts"/>
    public required IReadOnlyList<Tally> DropReasons { get; init; }

    public required IReadOnlyList<Tally> StopReasons { get; init; }

    public required IReadOnlyList<Tally> Sources { get; init; }

    public required IReadOnlyList<Tally> Domains { get; init; }

    /// <summary>Names with their digests, as <c>name (digest)</c>.</summary>
    public required IReadOnlyList<Tally> Teachers { get; init; }

    public required IReadOnlyList<Tally> Samplings { get; init; }

    /// <exception cref="InvalidDataException">A file cannot be read.</exception>
    public static TraceStatistics Of(TraceSet set, bool keptOnly)
    {
        string files = string.Join(", ", set.Files.Select(ClosedDatabase.QuoteFile));
        string kept = set.IsGraded && keptOnly ? "keep" : "true";
        try
        {
            using var database = ClosedDatabase.Open(
                set.Files, [$"CREATE VIEW {View} AS SELECT * FROM read_parquet([{files}], filename = 'trace_file')"]);
            var totals = database.Rows(
                $"SELECT count(*), count(DISTINCT problem_id), {Quantiles("completion_tokens")}, {Quantiles("prompt_tokens")} "
                + $"FROM {View} WHERE {kept}", 8)[0];
            IReadOnlyList<Tally> Count(string by, string where) => database.Tallies(
                $"SELECT {by}, count(*) FROM {View} WHERE {where} GROUP BY ALL ORDER BY 2 DESC, 1 LIMIT 50");
            return new TraceStatistics
            {
                Rows = totals[0],
                Problems = totals[1],
                CompletionTokens = new Lengths(totals[2], totals[3], totals[4]),
                PromptTokens = new Lengths(totals[5], totals[6], totals[7]),
                Parts = database.Parts(
                    $"SELECT trace_file, split, count(*), count(*) FILTER ({kept}) FROM {View} GROUP BY ALL ORDER BY 1, 2"),
                Verdicts = set.IsGraded ? Count("verdict", "true") : [],
                DropReasons = set.IsGraded ? Count("drop_reason", "NOT keep") : [],
                StopReasons = Count("stop_reason", kept),
                Sources = Count("source", kept),
                Domains = Count("domain", kept),
                Teachers = Count("teacher || CASE teacher_digest WHEN '' THEN '' ELSE ' (' || teacher_digest[:12] || ')' END", kept),
                Samplings = Count("sampling", kept),
            };
        }
        catch (DuckDBException fault)
        {
            throw new InvalidDataException(Printable.Of($"Cannot count the traces of '{set.Name}': {fault.Message.Split('\n')[0]}"), fault);
        }
    }

    private static string Quantiles(string column) =>
        $"coalesce(quantile_disc({column}, 0.5), 0), coalesce(quantile_disc({column}, 0.95), 0), coalesce(max({column}), 0)";
}

/// <summary>Results of counting queries.</summary>
internal static class CountingQueries
{
    public static IReadOnlyList<long[]> Rows(this DuckDBConnection database, string sql, int columns) =>
        database.Read(sql, row => Enumerable.Range(0, columns).Select(column => Convert.ToInt64(row.GetValue(column))).ToArray());

    public static IReadOnlyList<Tally> Tallies(this DuckDBConnection database, string sql) =>
        database.Read(sql, row => new Tally(row.IsDBNull(0) ? "" : row.GetString(0), Convert.ToInt64(row.GetValue(1))));

    public static IReadOnlyList<FilePart> Parts(this DuckDBConnection database, string sql) => database.Read(sql, row =>
        new FilePart(row.GetString(0), row.GetString(1), Convert.ToInt64(row.GetValue(2)), Convert.ToInt64(row.GetValue(3))));

    private static List<T> Read<T>(this DuckDBConnection database, string sql, Func<System.Data.Common.DbDataReader, T> read)
    {
        using var command = database.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read()) rows.Add(read(reader));
        return rows;
    }
}
