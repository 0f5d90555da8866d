using Distill.Data.Sources.Files;
using DuckDB.NET.Data;

namespace Distill.Data.Publishing;

/// <summary>
/// A DuckDB in memory that can read the files it is opened for and do nothing else outside of itself: no other file, no network, no
/// extension, and none of that can be turned on again. Whoever opens it disposes it.
/// </summary>
internal static class ClosedDatabase
{
    /// <param name="files">Full or relative paths of the only files that can be read.</param>
    /// <param name="prepare">SQL to run before it is closed, e.g. views over the files.</param>
    /// <exception cref="InvalidDataException">A path would be read as a pattern.</exception>
    public static DuckDBConnection Open(
        IReadOnlyList<string> files, IReadOnlyList<string>? prepare = null, string memory = "1GB", int threads = 2)
    {
        var connection = new DuckDBConnection("DataSource=:memory:");
        try
        {
            connection.Open();
            string[] settings =
            [
                $"SET memory_limit = '{memory}'", $"SET threads = {threads}", "SET temp_directory = ''",
                "SET autoinstall_known_extensions = false", "SET autoload_known_extensions = false",
                "SET allow_community_extensions = false", "SET preserve_insertion_order = true",
                $"SET allowed_paths = [{string.Join(", ", files.Select(QuoteFile))}]", .. prepare ?? [],
                "SET enable_external_access = false", "SET lock_configuration = true",
            ];
            foreach (string setting in settings) Execute(connection, setting);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>The path of a file to read as SQL spells it.</summary>
    /// <exception cref="InvalidDataException">It would be read as a pattern.</exception>
    public static string QuoteFile(string path) => ParquetRows.FileText(path);

    /// <summary>A text as SQL spells it.</summary>
    public static string Quote(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    private static void Execute(DuckDBConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
