using Distill.Pipeline.Graph;

namespace Distill.Pipeline.Tests.Sharding;

public sealed class ShardNumberTests
{
    [Theory]
    [InlineData("0/1", "0/1")]
    [InlineData("3/4", "3/4")]
    [InlineData("4/4", "names no shard: with 4 shards they are 0 to 3")]
    [InlineData("-1/4", "is not i/n")]
    [InlineData("1", "is not i/n")]
    [InlineData("1/0", "names no shard")]
    [InlineData("a/b", "is not i/n")]
    [InlineData("1/4/8", "is not i/n")]
    public void A_shard_is_one_of_so_many(string text, string expected) => Read(text).ShouldContain(expected);

    [Theory]
    [InlineData("SLURM_ARRAY_TASK_ID=2 SLURM_ARRAY_TASK_COUNT=4", "2/4")]
    [InlineData("SLURM_ARRAY_TASK_ID=4 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_COUNT=4", "3/4")] // --array=1-4
    [InlineData("JOB_COMPLETION_INDEX=1 DISTILL_SHARDS=3", "1/3")]
    [InlineData("JOB_COMPLETION_INDEX=1", "is not i/n")]
    [InlineData("SLURM_ARRAY_TASK_ID=2 SLURM_ARRAY_TASK_COUNT=1 DISTILL_SHARDS=4", "2/4")] // one task of the array, submitted again
    [InlineData("SLURM_ARRAY_TASK_ID=7 SLURM_ARRAY_TASK_COUNT=4", "names no shard")]
    [InlineData("HOME=/", "neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX is set")]
    public void Schedulers_say_it_in_the_environment(string environment, string expected)
    {
        var variables = environment.Split(' ').Select(word => word.Split('=')).ToDictionary(word => word[0], word => word[1]);
        Read("auto", variables).ShouldContain(expected);
    }

    [Fact]
    public void Every_unit_is_in_exactly_one_shard()
    {
        foreach (int count in (int[])[1, 2, 4, 7, 30])
        {
            Enumerable.Range(0, count).SelectMany(index => new ShardNumber(index, count).UnitsOf(23)).Order()
                .ShouldBe(Enumerable.Range(0, 23));
        }
    }

    private static string Read(string text, Dictionary<string, string>? variables = null) =>
        ShardNumber.Parse(text, name => variables?.GetValueOrDefault(name), out string fault) is { } shard ? $"{shard}" : fault;
}
