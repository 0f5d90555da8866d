using System.Globalization;
using Distill.Data.Tests.Traces;
using Distill.Data.Traces;
using Distill.Storage;

namespace Distill.Data.Tests.Storage.Faults;

/// <summary>
/// A generation as a stage does it: parts of traces, each committed and logged, parts that are there taken again, then card and manifest.
/// What a "teacher" says follows from problem and sample alone.
/// </summary>
internal static class ShardScenario
{
    public const int Samples = 4;

    public static StoreKey Key { get; } = new("traces", new string('7', 64));

    /// <summary>All the traces of a generation, part by part.</summary>
    public static IEnumerable<IReadOnlyList<Trace>> Parts(int rows, int rowsPerPart) => Enumerable.Range(0, rows)
        .Select(row => SampleTraces.One(row / Samples, row % 5 == 0 ? "13" : "12", $"way {row % Samples} of {row}: 7 + 5 = 12") with
        {
            SampleIndex = row % Samples,
        })
        .Chunk(rowsPerPart);

    public static Artifact Run(string folder, int rows, int rowsPerPart, ICommitHook? hook = null)
    {
        var writer = new ArtifactWriter(folder, Key.Kind, 1) { Hook = hook };
        foreach (var (index, part) in Parts(rows, rowsPerPart).Index())
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"data/train-{index:D5}.parquet");
            if (writer.TryTake(name, _ => { }) is null) TraceFile.Write(writer, name, part);
        }

        writer.Write("README.md", "card"u8.ToArray());
        return writer.Commit();
    }

    /// <summary>One of several processes that all want the same: one makes it, the others wait and then find it.</summary>
    public static void RunInStore(string root, int rows, int rowsPerPart)
    {
        var store = new ArtifactStore(root, TimeProvider.System);
        using var right = store.Lock(Key, "a worker", _ => { }, CancellationToken.None);
        if (store.Find(Key, _ => { }) is not null) return;
        string work = store.WorkFolder(Key);
        Run(work, rows, rowsPerPart);
        store.Finished(work);
    }

    /// <summary>Every (problem, sample) exactly once, and nothing else.</summary>
    public static void RequireWhole(Artifact artifact, int rows, int rowsPerPart)
    {
        artifact.Verify().ShouldBeEmpty();
        var read = artifact.Manifest.Files.Where(file => file.Rows is not null)
            .SelectMany(file => TraceFile.Read(artifact.PathOf(file.Path))).ToList();
        read.Select(trace => (trace.Problem.Id, trace.SampleIndex)).ShouldBeUnique();
        TraceDigest.OfBag(read).ShouldBe(TraceDigest.OfBag(Parts(rows, rowsPerPart).SelectMany(part => part)));
    }
}
