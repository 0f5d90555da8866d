using Distill.Data.Problems;
using Distill.Pipeline.Graph;

namespace Distill.Pipeline.Stages.Data;

/// <summary>
/// The problems of a stage, read part by part, so that a run over millions of them holds a few thousand. Reading goes forward fast; going
/// back begins the file anew. One thread at a time.
/// </summary>
internal sealed class ProblemParts : IDisposable
{
    private readonly Func<IEnumerable<Problem>> open;
    private IEnumerator<Problem>? reading;
    private int at;

    private ProblemParts(int count, Func<IEnumerable<Problem>> open) => (Count, this.open) = (count, open);

    public int Count { get; }

    public static ProblemParts Of(IReadOnlyList<Problem> problems) => new(problems.Count, () => problems);

    /// <summary>The problems of an artefact, their digests checked once.</summary>
    /// <param name="domains">Of these alone; empty for all.</param>
    public static ProblemParts Of(StageInput problems, IReadOnlyList<string> domains)
    {
        string file = problems.PathOf(ProblemsStage.FileName);
        if (domains.Count > 0)
        {
            IEnumerable<Problem> Asked() => ProblemFile.Read(file).Where(problem => domains.Contains(problem.Domain));
            return new(Asked().Count(), Asked);
        }

        long count = problems.Artifact!.Manifest.Files.Single(each => each.Path == ProblemsStage.FileName).Rows ?? 0;
        return new(checked((int)count), () => ProblemFile.Read(file));
    }

    public int PartCount(int size) => (Count + size - 1) / size;

    /// <summary>The problems of a part, by its index and the size of all parts.</summary>
    public IReadOnlyList<Problem> Read(int part, int size)
    {
        int first = part * size;
        if (reading is null || first < at)
        {
            reading?.Dispose();
            (reading, at) = (open().GetEnumerator(), 0);
        }

        for (; at < first && reading.MoveNext(); at++)
        {
        }

        var problems = new List<Problem>(Math.Min(size, Count - first));
        for (; problems.Count < size && reading.MoveNext(); at++) problems.Add(reading.Current);
        return problems;
    }

    /// <summary>So many problems, evenly spread over all; all where there are no more.</summary>
    public IReadOnlyList<Problem> Spread(int most)
    {
        int count = Math.Min(most, Count);
        var chosen = new List<Problem>(count);
        foreach (var (index, problem) in open().Index())
        {
            if (chosen.Count < count && index == (int)((long)chosen.Count * Count / count)) chosen.Add(problem);
        }

        return chosen;
    }

    public void Dispose() => reading?.Dispose();
}
