using System.Globalization;
using Distill.Data.Problems;
using Distill.Data.Storage;
using Distill.Data.Traces;
using Distill.Pipeline.Graph;
using Distill.Teacher;

namespace Distill.Pipeline.Stages.Data;

/// <summary>The parts of a trace artefact, one file each, and the dataset card over them. One thread at a time.</summary>
internal sealed class TraceFiles(StageContext context)
{
    private readonly SortedDictionary<int, ArtifactFile> files = [];

    /// <summary>Of all parts, taken and written.</summary>
    public long PromptTokens { get; private set; }

    /// <inheritdoc cref="PromptTokens"/>
    public long CompletionTokens { get; private set; }

    /// <summary>Takes a part that was finished before, if it is there and whole.</summary>
    public bool TryTake(int part)
    {
        if (context.TryTake(NameOf(part)) is not { } taken) return false;
        files[part] = taken;
        Count(TraceFile.SumsOf(Path.Combine(context.Folder, NameOf(part))));
        return true;
    }

    public void Write(TracePart part)
    {
        files[part.Index] = TraceFile.Write(context.Writer, NameOf(part.Index), part.Traces);
        Count(new TraceSums(part.Traces.Sum(trace => (long)trace.PromptTokens), part.Traces.Sum(trace => (long)trace.CompletionTokens)));
    }

    /// <param name="role">What the model is that wrote them.</param>
    public void WriteCard(string teacher, string role = "teacher")
    {
        var card = new DatasetCard
        {
            Title = "Reasoning traces",
            Description = $"Completions of generated problems by the {role} `{teacher}`, as generated: nothing is graded or left out.",
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
