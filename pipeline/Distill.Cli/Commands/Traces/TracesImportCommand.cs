using System.CommandLine;
using Distill.Cli.Models;
using Distill.Cli.Parsing;
using Distill.Cli.Progress;
using Distill.Data.Problems;
using Distill.Data.Publishing;
using Distill.Data.Publishing.Formats;
using Distill.Data.Traces;
using Distill.Hub;
using Distill.Storage;

namespace Distill.Cli.Commands.Traces;

/// <summary><c>distill traces import</c>.</summary>
internal sealed class TracesImportCommand : DistillCommand
{
    private const int RowsPerFile = 25_000, MostShown = 20;
    private const string Fail = "fail", Skip = "skip";

    private static readonly HubSelection Tables = new() { Include = ["*.parquet", "*.jsonl*", "*.ndjson*", "*.csv*", "*.tsv*"] };

    private readonly Argument<string> file = new("FILE")
    {
        Description = "A file (JSON lines, JSON, CSV, TSV, also .gz or .zst; Parquet with any codec), a folder of them, or "
            + "hf://datasets/owner/name[@revision][/path].",
    };

    private readonly Option<string> format = CommandOptions.Word(
        "--format", "Whose columns they have; auto looks at the first row.", [TraceFormats.Auto, .. TraceFormats.Names], TraceFormats.Auto);

    private readonly Option<string> output = new("--out")
        { HelpName = "DIR", Required = true, Description = "Folder for the traces; a recipe starts from it with traces.from." };

    private readonly Option<string> onBadRow = CommandOptions.Word(
        "--on-bad-row", "fail: the first row that is no trace ends the import before anything is written; skip: it is named and left out.",
        [Fail, Skip], Fail);

    private readonly Option<string> source = new("--source") { HelpName = "NAME", Description = "What the problems' source is called." };
    private readonly Option<string> teacher = new("--teacher") { HelpName = "NAME", Description = "Who wrote the completions." };

    private readonly Option<string> verifier = new("--verifier")
        { HelpName = "NAME", Description = "Verifier that grades the problems. Default math.", DefaultValueFactory = _ => "math" };

    public TracesImportCommand()
        : base("import", "Reads traces that others made into our columns: thought and answer parted, problem, reference answer. "
            + "Verdicts are left out: grading gives them anew.")
    {
        Arguments.Add(file);
        foreach (var option in (Option[])[output, format, onBadRow, source, teacher, verifier]) Options.Add(option);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "distill traces import train.jsonl --format messages --out traces/mine",
        "distill traces import OpenR1-Math-220k/data --out traces/openr1 --on-bad-row skip",
        "distill traces import hf://datasets/open-r1/OpenR1-Math-220k/data --out traces/openr1",
    ];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        string asked = parsed.GetRequiredValue(file), place = parsed.GetRequiredValue(output);
        OutputPlace.RequireFolder("--out", place);
        if (Artifact.TryOpen(place) is not null)
            throw new UsageException($"'{place}' holds finished traces already.", "Give another place, or remove it first.");
        var options = new TraceImportOptions
        {
            Format = parsed.GetRequiredValue(format), Source = parsed.GetValue(source), Teacher = parsed.GetValue(teacher),
            Verifier = parsed.GetRequiredValue(verifier),
        };
        bool skips = parsed.GetValue(onBadRow) == Skip;
        string from = Local(asked, context);
        context.Progress.Begin("import", asked);
        var (rows, bad) = Count(from, options, skips, context);
        if (rows.Count == 0)
            throw new InvalidDataException($"'{from}' holds no trace{(bad.Count > 0 ? $"; {bad.Count:N0} rows are none" : "")}.");
        var artifact = Write(from, place, options, rows, skips, context);
        context.Progress.End();
        Show(place, artifact, bad, context);
        return ExitCode.Done;
    }

    private static string Local(string asked, CommandContext context)
    {
        if (!HubReference.IsReference(asked)) return asked;
        using var hub = new HubAccess(context);
        return hub.Pull(HubAccess.Parse(asked), Tables).LocalPath;
    }

    // Everything is read once before anything is written, so that a bad row of the last line leaves no half of a folder.
    private static (SortedDictionary<Split, long> Rows, List<BadRow> Bad) Count(
        string from, TraceImportOptions options, bool skips, CommandContext context)
    {
        var rows = new SortedDictionary<Split, long>();
        var bad = new List<BadRow>();
        foreach (var trace in TraceProgress.Of(TraceImport.Read(from, options, skips ? bad.Add : null), 0, context))
            rows[trace.Problem.Split] = rows.GetValueOrDefault(trace.Problem.Split) + 1;
        return (rows, bad);
    }

    private static Artifact Write(
        string from, string place, TraceImportOptions options, SortedDictionary<Split, long> rows, bool skips, CommandContext context)
    {
        var writer = new ArtifactWriter(place, "traces", TraceImport.Version);
        var files = new Dictionary<Split, IReadOnlyList<ArtifactFile>>();
        foreach (var (split, count) in rows)
        {
            using var traces = TraceProgress.Of(TraceImport.Read(from, options, skips ? _ => { } : null), rows.Values.Sum(), context)
                .Where(trace => trace.Problem.Split == split).GetEnumerator();
            int parts = (int)((count + RowsPerFile - 1) / RowsPerFile);
            files[split] = [.. Enumerable.Range(0, parts).Select(part => TraceFile.Write(
                writer, $"data/{SplitRule.Word(split)}-{part:D5}-of-{parts:D5}.parquet", Next(traces)))];
        }

        var card = new DatasetCard
        {
            Title = "Imported reasoning traces",
            Description = "Completions that others made, in our columns; nothing is graded or left out.",
            License = "unknown",
            Files = files,
        };
        writer.Write("README.md", card.ToBytes());
        return writer.Commit();
    }

    private static IEnumerable<Trace> Next(IEnumerator<Trace> traces)
    {
        for (int i = 0; i < RowsPerFile && traces.MoveNext(); i++) yield return traces.Current;
    }

    private static void Show(string place, Artifact artifact, List<BadRow> bad, CommandContext context)
    {
        long rows = artifact.Manifest.Rows;
        if (context.IsJson)
        {
            context.Results.Json(new
            {
                path = place, traces = rows, skipped = bad.Count, digest = artifact.Digest,
                firstSkipped = bad.Take(MostShown).Select(row => new { Place = row.Place.ToString(), row.Reason }),
            });
            return;
        }

        foreach (var row in bad.Take(MostShown)) context.Results.Line($"skipped: {row}");
        if (bad.Count > MostShown) context.Results.Line($"… and {bad.Count - MostShown:N0} more.");
        context.Results.Line($"{rows:N0} traces{(bad.Count > 0 ? $" ({bad.Count:N0} rows skipped)" : "")}: {place}");
    }
}
