using Distill.Data.Problems;
using Distill.Data.Tests.Problems;
using Distill.Data.Verification;

namespace Distill.Data.Tests.Verification;

/// <summary>Votes are counted by classes: what means the same must fall together, and a class must have one verdict.</summary>
public sealed class AnswerClassTests
{
    public static TheoryData<string, int> Levels => FamilySamples.Levels;

    [Theory]
    [MemberData(nameof(Levels))]
    public void Answers_of_one_class_have_one_verdict_and_unreadable_ones_have_none(string family, int level)
    {
        var verifier = ProblemFamilies.Get(family).Verifier;
        var problems = FamilySamples.WithTwins(family, level).ToArray();
        string[] answers = [.. problems.Select(problem => problem.ReferenceAnswer).Distinct().Take(40), "7", " 7. ", "yes", "YES", "impossible", "who knows"];
        foreach (var problem in problems.Take(40))
        {
            var verdicts = answers.GroupBy(answer => verifier.ClassOf(answer, problem) ?? "none", answer => verifier.Verify(answer, problem));
            foreach (var group in verdicts) group.Distinct().Count().ShouldBe(1, $"{problem.Id}: {group.Key}");
            foreach (var answer in answers)
                (verifier.ClassOf(answer, problem) is null).ShouldBe(verifier.Verify(answer, problem) == Verdict.Undecidable, $"{problem.Id}: {answer}");
            verifier.ClassOf(null, problem).ShouldBeNull();
            verifier.ClassOf($"  {problem.ReferenceAnswer.ToUpperInvariant()} . ", problem).ShouldBe(verifier.ClassOf(problem.ReferenceAnswer, problem));
        }
    }

    [Fact]
    public void Different_spellings_of_one_answer_are_one_class()
    {
        var knights = FamilySamples.WithTwins("knights", 1).First(problem => problem.ReferenceAnswer.Contains(" , ", StringComparison.Ordinal));
        var verifier = ProblemFamilies.Get("knights").Verifier;
        string turned = string.Join(" and ", knights.ReferenceAnswer.Split(" , ").Reverse());
        verifier.ClassOf(turned, knights).ShouldBe(verifier.ClassOf(knights.ReferenceAnswer, knights));

        var countdown = FamilySamples.WithTwins("countdown", 1).First(problem => problem.ReferenceAnswer != "impossible");
        verifier = ProblemFamilies.Get("countdown").Verifier;
        verifier.ClassOf($"({countdown.ReferenceAnswer})", countdown).ShouldBe(verifier.ClassOf(countdown.ReferenceAnswer, countdown));
        verifier.ClassOf("1 + 1", countdown).ShouldNotBe(verifier.ClassOf(countdown.ReferenceAnswer, countdown));
    }
}
