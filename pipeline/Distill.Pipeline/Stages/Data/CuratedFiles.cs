using System.Globalization;
using Distill.Data.Curation;
using Distill.Data.Problems;
using Distill.Data.Traces;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Runs;
using Distill.Storage;

namespace Distill.Pipeline.Stages.Data;

/// <summary>
/// The files of a curated artefact and the passes over the traces they are made from. A file takes in parts of the traces, in their order,
/// until it has grown large; parts are cut between problems, so the traces of one lie in one file. One thread.
/// </summary>
internal sealed class CuratedFiles(StageContext context, StageInput traces, CurationPlan plan)
{
    private const string Folder = "data/";

    // What one can load at once, and one download can be.
    private const long RowsPerFile = 100_000, BytesPerFile = 256 << 20;

    private const int LongestExample = 400, ProgressEvery = 1000;

    private readonly IReadOnlyList<ArtifactFile> parts = traces.FilesWith(".parquet");

    /// <summary>Paths of the files of a curated artefact, each content checked, in their order.</summary>
    public static IEnumerable<string> PathsOf(StageInput curated) => curated.PathsOf(".parquet");

    /// <summary>The first pass.</summary>
    public void Survey()
    {
        foreach (string path in parts.Select(part => traces.PathOf(part.Path)))
        {
            foreach (var trace in TraceFile.ReadTexts(path))
            {
                plan.Survey(trace);
                Report(plan.Count);
            }
        }
    }

    /// <summary>The second: every trace with its grade, and the card over all of them.</summary>
    public void Write()
    {
        var written = new List<ArtifactFile>();
        int place = 0;
        foreach (var group in Groups())
        {
            int start = place;
            var file = TraceFile.Write(context.Writer, NameOf(written.Count), Graded(group, start));
            place += checked((int)file.Rows!.Value);
            written.Add(file);
        }

        var card = new DatasetCard
        {
            Title = "Graded reasoning traces",
            Description = "The teacher's traces with the verifier's verdict. "
                + "Train on rows with `keep`; `drop_reason` says why not on the others.",
            Graded = true,
            Files = new Dictionary<Split, IReadOnlyList<ArtifactFile>> { [Split.Train] = written },
        };
        context.Writer.Write("README.md", card.ToBytes());
    }

    /// <summary>A few traces of each reason, to look at.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<DroppedTrace>> ExamplesOf(CurationSummary summary)
    {
        var wanted = summary.Examples.Values.SelectMany(places => places).ToHashSet();
        var found = new Dictionary<int, DroppedTrace>();
        int place = 0;
        foreach (var part in parts)
        {
            int rows = checked((int)(part.Rows ?? 0));
            if (Enumerable.Range(place, rows).Any(wanted.Contains))
            {
                int at = place;
                foreach (var trace in TraceFile.ReadTexts(traces.PathOf(part.Path)))
                {
                    if (wanted.Contains(at)) found[at] = ExampleOf(trace);
                    at++;
                }
            }

            place += rows;
        }

        return summary.Examples.ToDictionary(
            reason => reason.Key, reason => (IReadOnlyList<DroppedTrace>)[.. reason.Value.Select(at => found[at])]);
    }

    // Enumerated anew for each attempt at a file, always from its own first part on.
    private IEnumerable<GradedTrace> Graded(IReadOnlyList<ArtifactFile> group, int start)
    {
        int place = start;
        foreach (string path in group.Select(part => traces.PathOf(part.Path)))
        {
            foreach (var trace in TraceFile.Read(path)) yield return plan.Grade(place++, trace);
        }
    }

    private IEnumerable<IReadOnlyList<ArtifactFile>> Groups()
    {
        var group = new List<ArtifactFile>();
        foreach (var part in parts)
        {
            bool full = group.Count > 0 && (group.Sum(file => file.Rows ?? 0) + (part.Rows ?? 0) > RowsPerFile
                || group.Sum(file => file.Bytes) + part.Bytes > BytesPerFile);
            if (full)
            {
                yield return group;
                group = [];
            }

            group.Add(part);
        }

        yield return group; // also of no part: a file without rows says that there were none
    }

    private void Report(int done)
    {
        if (done % ProgressEvery == 0) context.Progress(new StageProgress(done, parts.Sum(part => part.Rows ?? 0), "traces"));
    }

    private static DroppedTrace ExampleOf(Trace trace) => new(
        trace.Problem.Id, trace.SampleIndex, Start(trace.Answer) ?? "", trace.Problem.ReferenceAnswer.Length <= LongestExample
            ? trace.Problem.ReferenceAnswer : Start(trace.Problem.ReferenceAnswer)!, End(trace.Reasoning), trace.Refusal);

    private static string? Start(string? text) =>
        text is null || text.Length <= LongestExample ? text : string.Concat(Sound(text[..LongestExample]), "…");

    // The end of a thought shows best why it came to nothing.
    private static string End(string text) =>
        text.Length <= LongestExample ? text : string.Concat("…", Sound(text[^LongestExample..]));

    // A cut may have gone through the middle of a surrogate pair.
    private static string Sound(string text)
    {
        if (char.IsHighSurrogate(text[^1])) text = text[..^1];
        return char.IsLowSurrogate(text[0]) ? text[1..] : text;
    }

    private static string NameOf(int file) => string.Create(CultureInfo.InvariantCulture, $"{Folder}train-{file:D5}.parquet");
}
