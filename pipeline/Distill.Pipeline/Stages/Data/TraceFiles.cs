using System.Globalization;
using Distill.Data.Problems;
using Distill.Data.Traces;
using Distill.Pipeline.Graph;
using Distill.Storage;
using Distill.Teacher;

namespace Distill.Pipeline.Stages.Data;

/// <summary>The parts of a trace artefact, one file each, and the dataset card over them. One thread at a time.</summary>
internal sealed class TraceFiles(StageContext context)
{
    private const int RowsPerPart = 512;

    private readonly SortedDictionary<int, ArtifactFile> files = [];

    public long Rows => files.Values.Sum(file => file.Rows ?? 0);

    /// <summary>Of all parts, taken and written.</summary>
    public long PromptTokens { get; private set; }

    /// <inheritdoc cref="PromptTokens"/>
    public long CompletionTokens { get; private set; }

    /// <summary>Takes a part that was finished before, if it is there and whole.</summary>
    /// <param name="rows">Gets its traces, without their tokens; null where nobody wants them.</param>
    public bool TryTake(int part, ICollection<Trace>? rows = null)
    {
        if (context.TryTake(NameOf(part)) is not { } taken) return false;
        files[part] = taken;
        if (rows is null) Count(TraceFile.SumsOf(Path.Combine(context.Folder, NameOf(part))));
        foreach (var trace in rows is null ? [] : TraceFile.Read(Path.Combine(context.Folder, NameOf(part))))
        {
            Count(new TraceSums(trace.PromptTokens, trace.CompletionTokens));
            rows!.Add(trace with { TokenIds = [], TokenLogProbabilities = [], TopIds = [], TopLogProbabilities = [] });
        }

        return true;
    }

    public void Write(TracePart part)
    {
        files[part.Index] = TraceFile.Write(context.Writer, NameOf(part.Index), part.Traces);
        Count(new TraceSums(part.Traces.Sum(trace => (long)trace.PromptTokens), part.Traces.Sum(trace => (long)trace.CompletionTokens)));
    }

    /// <summary>
    /// Writes traces as they come, a part of 512 of them in memory at a time, as those that are generated have it: a later stage takes a
    /// part for a unit. No part ends between two that follow one another and answer the same problem.
    /// </summary>
    public void WriteAll(IEnumerable<Trace> traces)
    {
        var rows = new List<Trace>(); // written once more where an interrupted writer left another part of that name
        foreach (var trace in traces)
        {
            if (rows.Count >= RowsPerPart && trace.Problem.Id != rows[^1].Problem.Id) End();
            rows.Add(trace);
        }

        if (rows.Count > 0) End();

        void End()
        {
            int part = files.Count;
            files[part] = TraceFile.Write(context.Writer, NameOf(part), rows);
            rows.Clear();
        }
    }

    /// <param name="teacher">What wrote them.</param>
    /// <param name="description">Default: completions of a teacher.</param>
    public void WriteCard(string teacher, string? description = null)
    {
        var card = new DatasetCard
        {
            Title = "Reasoning traces",
            Description = description
                ?? $"Completions of generated problems by the teacher `{teacher}`, as generated: nothing is graded or left out.",
            Files = new Dictionary<Split, IReadOnlyList<ArtifactFile>> { [Split.Train] = [.. files.Values] },
        };
        context.Writer.Write("README.md", card.ToBytes());
    }

    private static string NameOf(int part) => string.Create(CultureInfo.InvariantCulture, $"data/train-{part:D5}.parquet");

    private void Count(TraceSums sums)
    {
        PromptTokens += sums.PromptTokens;
        CompletionTokens += sums.CompletionTokens;
    }
}
