using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Distill.Data.Publishing;
using Distill.Storage;

namespace Distill.Service.Pages.Traces;

/// <param name="Words">What the traces have in the columns that are chosen from, by the names of <see cref="TraceFilter.Choices"/>, the
/// most frequent first.</param>
internal sealed record TraceFacets(long Rows, bool IsGraded, IReadOnlyDictionary<string, IReadOnlyList<string>> Words);

/// <summary>Traces as a list shows them: the columns as JSON.</summary>
/// <param name="Matching">How many match the filter.</param>
internal sealed record TraceList(TraceFacets Facets, long Matching, IReadOnlyList<JsonElement> Rows);

/// <summary>
/// Asks the traces of runs by SQL that is made here, in a database that can read those files alone and nothing else. Bounded in memory, in
/// time and in how many ask at once. Thread-safe; the creator disposes it.
/// </summary>
internal sealed class TraceReader(ServiceView view) : IDisposable
{
    public const int PerPage = 50;

    private const int MostWords = 100, MostAtOnce = 2, MostFacets = 200;

    private const string Memory = "512MiB";

    // Numbers that JSON does not have are spelled as texts; the candidates of each token are many and not shown.
    private const string Whole = "* EXCLUDE (top_ids, top_logprobs, token_logprobs), token_logprobs::VARCHAR[] AS token_logprobs";

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim room = new(MostAtOnce);
    private readonly ConcurrentDictionary<string, TraceFacets> facets = new(StringComparer.Ordinal);

    /// <param name="artifact">Of traces, raw or graded.</param>
    /// <exception cref="InvalidDataException">It holds none, or damaged ones.</exception>
    /// <exception cref="QueryRefusedException">It takes too much memory.</exception>
    /// <exception cref="OperationCanceledException">Nobody waits for it any more, or it took too long.</exception>
    public Task<TraceList> ListAsync(Artifact artifact, TraceFilter filter, CancellationToken cancellation) =>
        AskAsync(artifact, (query, known, ending) =>
        {
            string condition = filter.ToSql(known.IsGraded);
            long matching = Count(query, condition, ending);
            long pages = Math.Max(1, (matching + PerPage - 1) / PerPage);
            long skipped = (Math.Min(filter.Page, pages) - 1) * PerPage;
            string grade = known.IsGraded ? ", verdict, keep, drop_reason" : "";
            return new TraceList(known, matching, [.. query.Run(string.Create(CultureInfo.InvariantCulture, $"""
                SELECT problem_id, sample_index, domain, split, stop_reason, completion_tokens, left(problem, 240) AS excerpt{grade}
                FROM traces WHERE {condition} LIMIT {PerPage} OFFSET {skipped}
                """), ending)]);
        }, cancellation);

    /// <summary>The trace at the filter's place, whole; null where fewer match.</summary>
    /// <inheritdoc cref="ListAsync"/>
    public Task<(TraceFacets Facets, long Matching, JsonElement? Row)> FindAsync(
        Artifact artifact, TraceFilter filter, CancellationToken cancellation) =>
        AskAsync(artifact, (query, known, ending) =>
        {
            string condition = filter.ToSql(known.IsGraded);
            long matching = Count(query, condition, ending);
            var rows = query.Run(string.Create(CultureInfo.InvariantCulture,
                $"SELECT {Whole} FROM traces WHERE {condition} LIMIT 1 OFFSET {filter.At ?? 0}"), ending).ToList();
            return (known, matching, rows.Count == 0 ? (JsonElement?)null : rows[0]);
        }, cancellation);

    public void Dispose() => room.Dispose();

    private async Task<T> AskAsync<T>(
        Artifact artifact, Func<TraceQuery, TraceFacets, CancellationToken, T> ask, CancellationToken cancellation)
    {
        using var limit = new CancellationTokenSource(Longest, view.Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        await room.WaitAsync(either.Token);
        try
        {
            return await Task.Run(() =>
            {
                var set = TraceSet.Of(artifact.Manifest.Kind, artifact);
                using var query = TraceQuery.Open(set, [], Memory);
                return ask(query, FacetsOf(artifact, set, query, either.Token), either.Token);
            }, either.Token);
        }
        finally
        {
            room.Release();
        }
    }

    // Of an artefact they never change.
    private TraceFacets FacetsOf(Artifact artifact, TraceSet set, TraceQuery query, CancellationToken ending)
    {
        if (facets.TryGetValue(artifact.Digest, out var known)) return known;
        var words = TraceFilter.Choices.Where(choice => set.IsGraded || !TraceFilter.IsGrade(choice.Name))
            .ToDictionary(choice => choice.Name, choice => WordsOf(choice.Column, query, ending));
        if (facets.Count >= MostFacets) facets.Clear();
        return facets[artifact.Digest] = new(Count(query, "true", ending), set.IsGraded, words);
    }

    private static IReadOnlyList<string> WordsOf(string column, TraceQuery query, CancellationToken ending) =>
        [.. query.Run(string.Create(CultureInfo.InvariantCulture, $"""
            SELECT {column} AS word FROM traces WHERE {column} IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT {MostWords}
            """), ending).Select(row => row.GetProperty("word").GetString()!)];

    private static long Count(TraceQuery query, string condition, CancellationToken ending) =>
        query.Run($"SELECT count(*) AS rows FROM traces WHERE {condition}", ending).Single().GetProperty("rows").GetInt64();
}
