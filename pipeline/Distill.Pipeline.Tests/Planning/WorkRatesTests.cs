using Distill.Pipeline.Planning;

namespace Distill.Pipeline.Tests.Planning;

public sealed class WorkRatesTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void What_was_added_is_there_for_the_next_process()
    {
        Open().Add(Record("sft", 1000, 10));
        Open().Add(Record("rl", 500, 50));
        Open().Records.ShouldBe([Record("sft", 1000, 10), Record("rl", 500, 50)]);
    }

    [Fact]
    public void Only_the_last_ones_of_like_work_stay()
    {
        for (int i = 0; i < 20; i++) Open().Add(Record("sft", 1000 + i, 10));
        Open().Add(Record("rl", 1, 1));
        Open().Records.Select(record => record.Units).ShouldBe([.. Enumerable.Range(1012, 8).Select(i => (double)i), 1]);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("[{\"stage\":\"sft\"}]")]
    [InlineData("{}")]
    [InlineData("[null]")]
    public void A_file_of_something_else_is_none(string text)
    {
        File.WriteAllText(folder["rates.json"], text);
        Open().Records.ShouldBeEmpty();
        Open().Add(Record("sft", 1000, 10));
        Open().Records.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(double.NaN, 1)]
    [InlineData(1, double.PositiveInfinity)]
    [InlineData(1, -3)]
    [InlineData(-1, 3)]
    public void What_no_clock_can_measure_is_not_kept(double units, double seconds)
    {
        Open().Add(Record("sft", units, seconds));
        Open().Records.ShouldBeEmpty();
    }

    [Fact]
    public void A_time_is_the_median_of_the_speeds()
    {
        // One of the runs was held for an hour.
        WorkRecord[] measured = [Record("sft", 1000, 10), Record("sft", 1000, 11), Record("sft", 1100, 3600)];
        WorkTimes.Predict(measured, 2000).ShouldBe(22, 1e-9);
    }

    [Fact]
    public void What_every_run_takes_is_told_from_what_grows()
    {
        WorkRecord[] measured = [.. new[] { 100.0, 400, 1000, 2000 }.Select(units => Record("sft", units, 3 + (0.01 * units)))];
        WorkTimes.Predict(measured, 100_000).ShouldBe(1003, 1e-6);
        WorkTimes.Predict(measured[..1], 100_000).ShouldBe(4000, 1e-6);
    }

    internal static WorkRecord Record(string stage, double units, double seconds) => new(
        stage, "recipe", WorkKind.Training, "digest", 1000, "cpu", "fp32", 100, 100, 100, 0, 4000, 10, 4000, units, seconds);

    private WorkRates Open() => WorkRates.OpenFile(folder["rates.json"]);
}
