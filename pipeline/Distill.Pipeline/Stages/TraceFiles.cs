using System.Globalization;
using Distill.Data.Problems;
using Distill.Data.Storage;
using Distill.Data.Traces;
using Distill.Teacher;

namespace Distill.Pipeline.Stages;

/// <summary>The parts of a trace artefact, one file each, and the dataset card over them. One thread at a time.</summary>
internal sealed class TraceFiles(ArtifactWriter writer)
{
    private readonly SortedDictionary<int, ArtifactFile> files = [];

    /// <summary>Of all parts, taken and written.</summary>
    public long PromptTokens { get; private set; }

    /// <inheritdoc cref="PromptTokens"/>
    public long CompletionTokens { get; private set; }

    /// <summary>Takes a part that was finished before. The name of a part exists only when the part is whole; the manifest needs its rows.</summary>
    public bool TryTake(int part)
    {
        string path = Path.Combine(writer.Folder, NameOf(part));
        if (!File.Exists(path)) return false;
        files[part] = writer.Add(NameOf(part), Count(TraceFile.Read(path)));
        return true;
    }

    public void Write(TracePart part)
    {
        files[part.Index] = TraceFile.Write(writer, NameOf(part.Index), part.Traces);
        Count(part.Traces);
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
        writer.Write("README.md", card.ToBytes());
    }

    private static string NameOf(int part) => string.Create(CultureInfo.InvariantCulture, $"data/train-{part:D5}.parquet");

    private long Count(IEnumerable<Trace> traces)
    {
        long rows = 0;
        foreach (var trace in traces)
        {
            rows++;
            PromptTokens += trace.PromptTokens;
            CompletionTokens += trace.CompletionTokens;
        }

        return rows;
    }
}
