using CsCheck;
using Distill.Data.Problems;

namespace Distill.Data.Tests.Problems;

public sealed class ProblemIdTests
{
    [Fact]
    public void An_id_reads_as_documented()
    {
        new ProblemId("arithmetic", 2, Split.Test, 7, 41).ToString().ShouldBe("arithmetic/2/test/7/000041");
        new ProblemId("arithmetic", 2, Split.Test, 7, 41, TwinKind.Renamed).ToString().ShouldBe("arithmetic/2/test/7/000041~renamed");
    }

    [Fact]
    public void Every_id_reads_back()
    {
        var ids = from family in Gen.Int[0, 2].Select(i => new[] { "arithmetic", "words", "x" }[i])
                  from level in Gen.Int[0, int.MaxValue]
                  from split in Gen.Enum<Split>()
                  from seed in Gen.ULong
                  from index in Gen.Long[0, long.MaxValue]
                  from twin in Gen.Int[-1, 2].Select(kind => kind < 0 ? (TwinKind?)null : (TwinKind)kind)
                  select new ProblemId(family, level, split, seed, index, twin);

        ids.Sample(id => ProblemId.TryParse(id.ToString()) == id, iter: 500);
    }

    [Theory]
    [InlineData("")]
    [InlineData("mine")]
    [InlineData("words/1/test/7")]
    [InlineData("words/1/test/7/000041/1")]
    [InlineData("words/x/test/7/000041")]
    [InlineData("words/-1/test/7/000041")]
    [InlineData("words/1/Test/7/000041")]
    [InlineData("words/1/test/-7/000041")]
    [InlineData("words/1/test/18446744073709551616/000041")]
    [InlineData("words/1/test/7/9223372036854775808")]
    [InlineData("words/1/test/7/ 41")]
    [InlineData("words/1/test/7/000041~")]
    [InlineData("words/1/test/7/000041~Renamed")]
    [InlineData("words/1/test/7/000041~renamed~renamed")]
    [InlineData("words/1/test/7/٤١")]
    public void Anything_else_is_no_id(string id) => ProblemId.TryParse(id).ShouldBeNull();

    [Fact]
    public void A_very_long_id_is_none() => ProblemId.TryParse($"{new string('x', 100_000)}/1/test/7/000041").ShouldBeNull();
}
