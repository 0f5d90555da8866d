using System.Diagnostics;
using Distill.Data.Traces;
using Distill.Storage;

namespace Distill.Data.Tests.Storage.Faults;

/// <summary>Several processes that make one generation of 2,000 rows while they are killed at random.</summary>
public sealed class KillSoakTests
{
    private const int Rows = 2000, RowsPerPart = 40, Workers = 3, Kills = 24, LongestWaitMilliseconds = 900;

    [Fact]
    public void Killed_at_random_three_workers_make_every_row_once()
    {
        using var folder = new TemporaryFolder();
        var random = new Random(20_27);
        var workers = new Process[Workers];
        for (int i = 0; i < Workers; i++) workers[i] = Start(folder);
        for (int kill = 0; kill < Kills; kill++)
        {
            int victim = random.Next(Workers);
            if (!workers[victim].WaitForExit(random.Next(50, LongestWaitMilliseconds))) workers[victim].Kill();
            workers[victim].WaitForExit();
            workers[victim].Dispose();
            workers[victim] = Start(folder);
        }

        foreach (var worker in workers)
        {
            worker.WaitForExit();
            worker.ExitCode.ShouldBe(0);
            worker.Dispose();
        }

        var store = new ArtifactStore(folder["store"], TimeProvider.System);
        var made = store.Find(ShardScenario.Key, fault => throw new InvalidDataException(fault)).ShouldNotBeNull();
        made.Version.ShouldBe(1);
        ShardScenario.RequireWhole(made.Artifact, Rows, RowsPerPart);
    }

    /// <summary>Parts made by one, two or five at once, delivered as they come: the same files and the same grades.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void The_number_of_workers_changes_no_byte(int workers)
    {
        using var folder = new TemporaryFolder();
        var parts = ShardScenario.Parts(Rows, RowsPerPart).ToList();
        var random = new Random(workers);
        int[] order = [.. Enumerable.Range(0, parts.Count).OrderBy(_ => random.Next())];
        Parallel.ForEach(order, new ParallelOptions { MaxDegreeOfParallelism = workers }, part =>
            TraceFile.Write(folder[$"traces/data/train-{part:D5}.parquet"], parts[part]));
        var writer = new ArtifactWriter(folder["traces"], ShardScenario.Key.Kind, 1);
        foreach (int part in order) writer.Add($"data/train-{part:D5}.parquet", parts[part].Count);
        writer.Write("README.md", "card"u8.ToArray());
        using var alone = new TemporaryFolder();
        writer.Commit().Digest.ShouldBe(ShardScenario.Run(alone["traces"], Rows, RowsPerPart).Digest);
    }

    private static Process Start(TemporaryFolder folder) =>
        ChildProcess.Start("store", [folder["store"], $"{Rows}", $"{RowsPerPart}"]);
}
