using Distill.Data.Problems;
using Distill.Data.Sources;
using Distill.Data.Sources.Files;
using Distill.Data.Sources.Formats;
using Distill.Data.Sources.Selection;

namespace Distill.Data.Tests.Sources;

/// <summary>Files of a test read as a recipe would read them.</summary>
internal static class SourceReading
{
    public static FileSource Source(string path, RowReading? reading = null, string name = "own") =>
        new(name, SourceFile.Find(path), reading ?? new RowReading());

    public static SourceItem[] Items(string path, RowReading? reading = null) => [.. Source(path, reading).Read()];

    public static Problem[] Problems(string path, RowReading? reading = null) => [.. Items(path, reading).Select(item =>
        item.Problem.ShouldNotBeNull(item.Fault))];

    /// <summary>The faults of bad rows, each with its place.</summary>
    public static string[] Faults(string path, RowReading? reading = null) =>
        [.. Items(path, reading).Where(item => item.Problem is null).Select(item => $"{item.Place}: {item.Fault}")];

    public static RowReading Columns(string? question = null, string? answer = null, string? choices = null) => new()
    {
        Columns = new ColumnMapping
        {
            Question = question is null ? null : ColumnExpression.Parse(question),
            Answer = answer is null ? null : ColumnExpression.Parse(answer),
            Choices = choices,
        },
    };

    /// <summary>One row of JSON in a format.</summary>
    public static ProblemDraft Draft(string json, string? format = null, ColumnMapping? given = null)
    {
        using var document = System.Text.Json.JsonDocument.Parse(json);
        var row = new RowValues(document.RootElement);
        var columns = given ?? ColumnMapping.None;
        var known = format is null ? ProblemFormats.Guess(row, columns) : ProblemFormats.Get(format);
        return known.Read(row, columns.Over(known.Columns));
    }

    public static string Guess(string json)
    {
        using var document = System.Text.Json.JsonDocument.Parse(json);
        return ProblemFormats.Guess(new RowValues(document.RootElement), ColumnMapping.None).Name;
    }
}

/// <summary>Problems in memory, as a source gives them.</summary>
internal sealed class ListedSource(string name, params IReadOnlyList<(string Question, string Answer)> rows) : IProblemSource
{
    public string Name => name;

    public IEnumerable<SourceItem> Read()
    {
        var maker = new ProblemMaker(name, "exact");
        foreach (var (index, (question, answer)) in rows.Index())
            yield return new SourceItem(
                new SourcePlace(name + ".jsonl", "line", index + 1), maker.Make(new ProblemDraft(question, answer)));
    }
}

/// <summary>Pools of such sources.</summary>
internal static class PoolSamples
{
    private static readonly string[] Nouns =
        ["apples", "boats", "chairs", "drums", "eagles", "forks", "grapes", "hats", "islands", "jars", "kites", "lamps", "mugs", "nuts"];

    private static readonly string[] Verbs =
        ["counts", "sells", "paints", "hides", "weighs", "breaks", "borrows", "stacks", "names", "finds"];

    private static readonly string[] Places =
        ["market", "river", "school", "garden", "station", "castle", "museum", "harbour", "kitchen", "forest", "theatre", "valley"];

    /// <summary>Questions that share few words in a row.</summary>
    public static (string Question, string Answer)[] Questions(int count, int from = 0) => [.. Enumerable.Range(from, count).Select(i =>
    {
        string Pick(string[] words, int step) => words[(int)((uint)(i * 2654435761 + step * 40503) >> 7) % words.Length];
        return ($"{Pick(Verbs, 1)} {i} {Pick(Nouns, 2)} {Pick(Places, 3)} {i * 7} {Pick(Nouns, 4)} {Pick(Verbs, 5)} "
            + $"{i % 13} {Pick(Places, 6)} "
            + $"number {i}?", $"{i}");
    })];

    public static ProblemPool Gather(PoolOptions? options = null, params PoolSource[] sources) =>
        ProblemPool.Gather(sources, options ?? new PoolOptions(), TestContext.Current.CancellationToken);

    public static Dictionary<string, Split> Splits(ProblemPool pool) =>
        pool.All().ToDictionary(problem => problem.Text, problem => problem.Split);
}
