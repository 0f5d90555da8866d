using Distill.Data.Problems;
using Distill.Evaluation;

namespace Distill.Teacher.Tests.Evaluation;

/// <summary>Twins find their originals by their ids, whatever these look like.</summary>
public sealed class TwinPairTests
{
    [Fact]
    public void Twins_of_families_and_of_files_find_their_originals()
    {
        Problem[] problems = [Of("words/1/test/7/000041"), Of("my file.jsonl#17"), Of("gsm8k~v2/3")];
        Problem[] twins = [Of("gsm8k~v2/3~recomputed"), Of("my file.jsonl#17~renamed"), Of("words/1/test/7/000041~unsatisfiable")];

        TwinPairs.Match(problems, twins).ShouldBe(
            [new(TwinKind.Recomputed, 2, 0), new(TwinKind.Renamed, 1, 1), new(TwinKind.Unsatisfiable, 0, 2)]);
    }

    [Theory]
    [InlineData("my file.jsonl#17", "is not the id of a twin")]
    [InlineData("my file.jsonl#17~other", "is not the id of a twin")]
    [InlineData("my file.jsonl#18~renamed", "The original 'my file.jsonl#18'")]
    public void What_has_no_original_is_named(string twin, string reason) =>
        Should.Throw<ArgumentException>(() => TwinPairs.Match([Of("my file.jsonl#17")], [Of(twin)])).Message.ShouldContain(reason);

    private static Problem Of(string id) => new(id, "mine", "math", Split.Test, 1, "text", "1", null, id);
}
