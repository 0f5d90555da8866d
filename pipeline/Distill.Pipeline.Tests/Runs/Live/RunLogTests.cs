using System.Globalization;
using Distill.Pipeline.Runs.Live;
using Microsoft.Extensions.Time.Testing;

namespace Distill.Pipeline.Tests.Runs.Live;

/// <summary>What is left of a log that became too long.</summary>
public sealed class RunLogTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly FakeTimeProvider clock = new(DateTimeOffset.UnixEpoch);

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_full_log_keeps_its_end_and_says_what_it_left_out()
    {
        string path = folder["logs/run.log"], filler = new('x', 10_000);
        const int lines = 1_500; // 15 MB, which fill it several times
        using (var log = new RunLog(path, clock))
        {
            for (int i = 0; i < lines; i++)
            {
                clock.Advance(TimeSpan.FromSeconds(1));
                log.Line($"line {i} {filler}");
            }

            log.Line("ended: fault");
        }

        new FileInfo(path).Length.ShouldBeInRange(RunLog.MostBytes / 4, RunLog.MostBytes + 20_000);
        string[] kept = File.ReadAllLines(path);
        kept[^1].ShouldEndWith(" ended: fault");
        kept[0].ShouldContain("the log was full");
        kept[0][..20].ShouldBe(kept[1][..20]);
        int first = int.Parse(kept[1].Split(' ')[2], CultureInfo.InvariantCulture);
        kept.Skip(1).SkipLast(1).Select(line => int.Parse(line.Split(' ')[2], CultureInfo.InvariantCulture))
            .ShouldBe(Enumerable.Range(first, lines - first)); // none is missing, none is cut
        Directory.EnumerateFiles(folder["logs"]).ShouldBe([path]);
    }
}
