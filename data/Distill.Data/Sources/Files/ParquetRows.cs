using System.Text;
using Distill.Storage;
using DuckDB.NET.Data;

namespace Distill.Data.Sources.Files;

/// <summary>
/// The rows of a Parquet file that somebody else wrote, read by DuckDB: it knows every codec and encoding, the older shapes of lists, large
/// strings and dictionaries. It gets bounded memory and two threads, sees this file and no other, loads no extension, spills nothing.
/// </summary>
internal static class ParquetRows
{
    private const int MemoryMegabytes = 1024;

    /// <param name="columns">The only ones that will be looked at; null: all.</param>
    public static IEnumerable<SourceRow> Read(SourceFile file, IReadOnlyCollection<string>? columns)
    {
        string path = Path.GetFullPath(file.Path);
        using var connection = Named(file, () => Open(path));
        string[] wanted = Named(file, () => Columns(connection, path, columns));
        if (wanted.Length == 0) yield break;
        using var command = connection.CreateCommand();
        command.CommandText =
            $"SELECT to_json(t)::VARCHAR FROM (SELECT {string.Join(", ", wanted)} FROM {Table(path)}) AS t";
        command.UseStreamingMode = true;
        using var reader = Named(file, command.ExecuteReader);
        for (long number = 1; Named(file, reader.Read); number++)
        {
            var place = new SourcePlace(file.Name, "row", number);
            string text = Named(file, () => reader.GetString(0));
            if (text.Length > RowLimits.RowBytes)
            {
                yield return new SourceRow(place, default, $"longer than {RowLimits.RowBytes:N0} characters");
                continue;
            }

            using var document = JsonRowText.TryParse(Encoding.UTF8.GetBytes(text), out string? fault);
            yield return document is null ? new SourceRow(place, default, fault) : new SourceRow(place, document.RootElement);
        }
    }

    /// <summary>The path of one file as SQL spells it.</summary>
    /// <exception cref="InvalidDataException">DuckDB would take it for a pattern, and read other files or none.</exception>
    internal static string FileText(string path) => path.IndexOfAny(['*', '?', '[']) < 0 ? Text(path)
        : throw new InvalidDataException(Printable.Of(
            $"The path '{path}' has one of * ? [ in it, which would be read as a pattern; rename the file or its folder."));

    private static DuckDBConnection Open(string path)
    {
        var connection = new DuckDBConnection("DataSource=:memory:");
        try
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = $"""
                SET memory_limit = '{MemoryMegabytes}MB';
                SET threads = 2;
                SET temp_directory = '';
                SET autoinstall_known_extensions = false;
                SET autoload_known_extensions = false;
                SET allowed_paths = [{FileText(path)}];
                SET enable_external_access = false;
                SET lock_configuration = true;
                """;
            command.ExecuteNonQuery();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static string[] Columns(DuckDBConnection connection, string path, IReadOnlyCollection<string>? only)
    {
        using var command = connection.CreateCommand();
        command.CommandText = $"SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM {Table(path)})";
        using var reader = command.ExecuteReader();
        var names = new List<(string Name, string Type)>();
        while (reader.Read()) names.Add((reader.GetString(0), reader.GetString(1)));
        if (names.Count > RowLimits.Columns)
            throw new InvalidDataException($"{names.Count:N0} columns; at most {RowLimits.Columns:N0} are read");
        string[] wanted = [.. names.Where(column => only is null || only.Contains(column.Name)).Select(Expression)];
        // Where none of them is there every row lacks them: one column is enough to say so row by row.
        return wanted.Length > 0 ? wanted : [.. names.Take(1).Select(Expression)];
    }

    // JSON has no number that would hold all digits of these.
    private static string Expression((string Name, string Type) column) =>
        column.Type.StartsWith("DECIMAL", StringComparison.Ordinal) || column.Type is "HUGEINT" or "UHUGEINT" or "BIGNUM"
            ? $"{Name(column.Name)}::VARCHAR AS {Name(column.Name)}" : Name(column.Name);

    // Text columns of older writers carry no mark that they are text.
    private static string Table(string path) => $"read_parquet({FileText(path)}, binary_as_string = true)";

    private static string Text(string value) => $"'{value.Replace("'", "''", StringComparison.Ordinal)}'";

    private static string Name(string value) => $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static T Named<T>(SourceFile file, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception fault) when (fault is DuckDBException or InvalidDataException or InvalidCastException or OverflowException)
        {
            string reason = fault.Message.Split('\n')[0].TrimEnd('.');
            throw new InvalidDataException(Printable.Of($"Cannot read '{file.Name}' as Parquet: {reason}."), fault);
        }
    }
}
