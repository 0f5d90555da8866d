using Distill.Data.Curation;
using Distill.Data.Problems;
using Distill.Data.Tests.Traces;
using Distill.Data.Traces;

namespace Distill.Data.Tests.Curation;

/// <summary>Alone, because what is measured is the memory of the whole process.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneCollection
{
    public const string Name = "alone";
}

/// <summary>Two hundred thousand traces pass through writing and curation, and what stays in memory is their keys.</summary>
[Collection(AloneCollection.Name)]
public sealed class CurationMemoryTests
{
    private const int Rows = 200_000, RowsPerPart = 20_000, Samples = 4, LookEvery = 20_000;

    // Keys and ids of the traces take 25 MB; the rest are row groups being read and written, and buffers that Parquet.Net keeps for them.
    private const long Bound = 256 << 20;

    [Fact]
    public void Memory_does_not_grow_with_the_traces()
    {
        using var folder = new TemporaryFolder();
        long before = GC.GetTotalMemory(forceFullCollection: true), most = 0;
        for (int part = 0; part < Rows / RowsPerPart; part++) TraceFile.Write(folder[$"{part:D2}.parquet"], Watched(Teacher(part)));
        string[] files = [.. Directory.GetFiles(folder.Root).Order(StringComparer.Ordinal)];
        var plan = new CurationPlan(ProblemVerifiers.Standard, new CurationOptions { MaxPerProblem = 2 });
        foreach (var trace in Watched(files.SelectMany(TraceFile.ReadTexts))) plan.Survey(trace);
        var summary = plan.Decide();
        int place = 0;
        TraceFile.Write(folder["graded.parquet"], Watched(files.SelectMany(TraceFile.Read)).Select(trace => plan.Grade(place++, trace)));
        place.ShouldBe(Rows);
        summary.Kept.ShouldBe(Rows / 2);
        most.ShouldBeLessThan(Bound);

        IEnumerable<Trace> Watched(IEnumerable<Trace> traces)
        {
            int seen = 0;
            foreach (var trace in traces)
            {
                if (++seen % LookEvery == 0) most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: true) - before);
                yield return trace;
            }
        }
    }

    // Five kilobytes a trace: kept in memory they would be a gigabyte of text.
    private static IEnumerable<Trace> Teacher(int part)
    {
        string padding = new(' ', 2500);
        for (int row = part * RowsPerPart; row < (part + 1) * RowsPerPart; row++)
        {
            int sample = row % Samples;
            yield return SampleTraces.One(row / Samples, reasoning: $"way {sample} of {row / Samples}: 7 + 5 = 12{padding}.") with
            {
                SampleIndex = sample,
            };
        }
    }
}
