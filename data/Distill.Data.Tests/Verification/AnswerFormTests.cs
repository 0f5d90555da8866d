using Distill.Data.Problems;
using Distill.Data.Problems.Families;
using Distill.Data.Tests.Problems;
using Distill.Data.Verification;
using Distill.Verification;

namespace Distill.Data.Tests.Verification;

/// <summary>Which ways to write an answer count.</summary>
public sealed class AnswerFormTests
{
    [Theory]
    [InlineData("16", Verdict.Correct)]
    [InlineData(" 16 . ", Verdict.Correct)]
    [InlineData("016", Verdict.Correct)]
    [InlineData("\\boxed{16}", Verdict.Correct)]
    [InlineData("The answer is 16.", Verdict.Correct)]
    [InlineData("8 + 8\n#### 16", Verdict.Correct)]
    [InlineData("<think> is it 15 ? </think> 16", Verdict.Correct)]
    [InlineData("<think> is it 15 ? </think> Answer: **16**", Verdict.Correct)]
    [InlineData("17", Verdict.Incorrect)]
    [InlineData("\\boxed{17}", Verdict.Incorrect)]
    [InlineData("\\boxed{\\text{impossible}}", Verdict.Incorrect)]
    [InlineData("1,600", Verdict.Incorrect)]
    [InlineData("-16", Verdict.Incorrect)]
    [InlineData("<think> 16", Verdict.Undecidable)]
    [InlineData("<think> the answer is 16 </think>", Verdict.Undecidable)]
    [InlineData("1,6", Verdict.Undecidable)]
    [InlineData("The answer is 16 apples.", Verdict.Undecidable)]
    [InlineData("impossible", Verdict.Incorrect)]
    [InlineData("1 6", Verdict.Undecidable)]
    [InlineData("16.0", Verdict.Undecidable)]
    [InlineData("+16", Verdict.Undecidable)]
    [InlineData("16 . .", Verdict.Undecidable)]
    [InlineData("1000000000", Verdict.Undecidable)]
    public void An_integer(string answer, Verdict expected) => Verify(new IntegerVerifier(), "16", answer).ShouldBe(expected);

    [Theory]
    [InlineData("-3", "- 3", Verdict.Correct)]
    [InlineData("-3", "3", Verdict.Incorrect)]
    [InlineData("impossible", "IMPOSSIBLE.", Verdict.Correct)]
    [InlineData("impossible", "0", Verdict.Incorrect)]
    [InlineData("impossible", "not possible", Verdict.Undecidable)]
    public void An_integer_below_zero_or_none(string reference, string answer, Verdict expected) =>
        Verify(new IntegerVerifier(), reference, answer).ShouldBe(expected);

    [Theory]
    [InlineData("yes", Verdict.Correct)]
    [InlineData("Yes.", Verdict.Correct)]
    [InlineData("So the answer is yes.", Verdict.Correct)]
    [InlineData("\\boxed{\\text{Yes}}", Verdict.Correct)]
    [InlineData("no", Verdict.Incorrect)]
    [InlineData("yes no", Verdict.Undecidable)]
    [InlineData("maybe", Verdict.Undecidable)]
    public void Yes_or_no(string answer, Verdict expected) => Verify(new YesNoVerifier(), "yes", answer).ShouldBe(expected);

    [Theory]
    [InlineData("anna knight , ben knave", Verdict.Correct)]
    [InlineData("ben knave, anna knight.", Verdict.Correct)]
    [InlineData("Anna is a knight and Ben is a knave", Verdict.Correct)]
    [InlineData("anna : knight ; ben : knave", Verdict.Correct)]
    [InlineData("Answer: Ben is a knave and Anna is a knight.", Verdict.Correct)]
    [InlineData("anna knight", Verdict.Incorrect)]
    [InlineData("anna knight , ben knight", Verdict.Incorrect)]
    [InlineData("anna knight , ben knave , ben knight", Verdict.Incorrect)]
    [InlineData("anna knight , ben knave , tom knave", Verdict.Incorrect)]
    [InlineData("contradiction", Verdict.Incorrect)]
    [InlineData("anna knight , ben knave , ben knave", Verdict.Undecidable)]
    [InlineData("anna knight ben", Verdict.Undecidable)]
    [InlineData("ann4 knight , ben knave", Verdict.Undecidable)]
    [InlineData("is a and", Verdict.Undecidable)]
    public void Who_is_what(string answer, Verdict expected) =>
        Verify(new KnightsVerifier(), "anna knight , ben knave", answer).ShouldBe(expected);

    [Theory]
    [InlineData("contradiction.", Verdict.Correct)]
    [InlineData("anna knight , ben knave", Verdict.Incorrect)]
    public void Nobody_can_be_anything(string answer, Verdict expected) =>
        Verify(new KnightsVerifier(), "contradiction", answer).ShouldBe(expected);

    [Theory]
    [InlineData("( 3 + 5 ) * 2", Verdict.Correct)]
    [InlineData("2*(5+3).", Verdict.Correct)]
    [InlineData("((3+(5)))*2", Verdict.Correct)]
    [InlineData("\\boxed{(3+5)*2}", Verdict.Correct)]
    [InlineData("3 + 5 * 2", Verdict.Incorrect)]
    [InlineData("8 * 2", Verdict.Incorrect)]
    [InlineData("16", Verdict.Incorrect)]
    [InlineData("( 3 + 5 ) * 2 + 2 - 2", Verdict.Incorrect)]
    [InlineData("impossible", Verdict.Incorrect)]
    [InlineData("( 3 + 5 ) * 2 = 16", Verdict.Undecidable)]
    [InlineData("( 3 + 5 ) x 2", Verdict.Undecidable)]
    [InlineData("( 3 + 5 ) 2", Verdict.Undecidable)]
    [InlineData("-3 + 5", Verdict.Undecidable)]
    [InlineData("00003 + 5", Verdict.Undecidable)]
    [InlineData("( 3 + 5 * 2", Verdict.Undecidable)]
    public void An_expression(string answer, Verdict expected) =>
        Verify(new CountdownVerifier(), "any", answer, "countdown:2 3 5=16").ShouldBe(expected);

    [Theory]
    [InlineData("2 - 5 - 3 + 9", "countdown:2 3 5 9=3", Verdict.Correct)]
    [InlineData("2 - 5 * 9", "countdown:2 5 9=43", Verdict.Incorrect)]
    [InlineData("impossible", "countdown:2 2=3", Verdict.Correct)]
    [InlineData("impossible", "countdown:2 2=0", Verdict.Incorrect)]
    [InlineData("impossible", "countdown:9999 9999 9999 9999 9999=7", Verdict.Correct)]
    [InlineData("9999 * 9999 * 9999 * 9999 * 9999", "countdown:9999 9999 9999 9999 9999=7", Verdict.Incorrect)]
    public void An_expression_may_pass_below_zero_and_impossible_is_searched_for(string answer, string signature, Verdict expected) =>
        Verify(new CountdownVerifier(), "any", answer, signature).ShouldBe(expected);

    [Theory]
    [InlineData("words:Start.1.0")]
    [InlineData("countdown:1 2")]
    [InlineData("countdown:=5")]
    [InlineData("countdown:1 2=3=4")]
    [InlineData("countdown:1 -2=3")]
    [InlineData("countdown:1 2 3 4 5 6=3")]
    [InlineData("countdown:1 10000=3")]
    public void A_problem_that_is_not_countdown_is_a_fault_of_the_caller(string signature) =>
        Should.Throw<ArgumentException>(() => Verify(new CountdownVerifier(), "any", "1", signature)).Message.ShouldContain(signature);

    [Fact]
    public void Verifiers_have_names_and_versions_for_cache_keys()
    {
        IVerifier[] verifiers = [new IntegerVerifier(), new CountdownVerifier(), new KnightsVerifier(), new YesNoVerifier()];

        verifiers.Select(verifier => $"{verifier.Name} {verifier.Version}")
            .ShouldBe(["whole-number 2", "countdown 2", "knights 2", "yes-no 2"]);
    }

    private static Verdict Verify(IVerifier verifier, string reference, string answer, string signature = "") =>
        verifier.Verify(answer, new Problem("id", "family", "domain", Split.Test, 1, "text", reference, null, signature));
}

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
        var references = problems.Select(problem => problem.ReferenceAnswer).Distinct().Take(40);
        string[] answers = [.. references, "7", " 7. ", "yes", "YES", "impossible", "who knows"];
        foreach (var problem in problems.Take(40))
        {
            var graded = answers.Select(answer => (Class: verifier.ClassOf(answer, problem), Verdict: verifier.Verify(answer, problem)));
            foreach (var group in graded.GroupBy(answer => answer.Class))
            {
                var verdict = group.Select(answer => answer.Verdict).Distinct().ShouldHaveSingleItem($"{problem.Id}: {group.Key}");
                (group.Key is null).ShouldBe(verdict == Verdict.Undecidable, $"{problem.Id}: {group.Key}");
            }

            verifier.ClassOf(null, problem).ShouldBeNull();
            var loud = $"  {problem.ReferenceAnswer.ToUpperInvariant()} . ";
            verifier.ClassOf(loud, problem).ShouldBe(verifier.ClassOf(problem.ReferenceAnswer, problem));
        }
    }

    [Fact]
    public void Different_spellings_of_one_answer_are_one_class()
    {
        var knights = FamilySamples.WithTwins("knights", 1)
            .First(problem => problem.ReferenceAnswer.Contains(" , ", StringComparison.Ordinal));
        var verifier = ProblemFamilies.Get("knights").Verifier;
        string turned = string.Join(" and ", knights.ReferenceAnswer.Split(" , ").Reverse());
        verifier.ClassOf(turned, knights).ShouldBe(verifier.ClassOf(knights.ReferenceAnswer, knights));

        var countdown = FamilySamples.WithTwins("countdown", 1).First(problem => problem.ReferenceAnswer != "impossible");
        verifier = ProblemFamilies.Get("countdown").Verifier;
        verifier.ClassOf($"({countdown.ReferenceAnswer})", countdown).ShouldBe(verifier.ClassOf(countdown.ReferenceAnswer, countdown));
        verifier.ClassOf("1 + 1", countdown).ShouldNotBe(verifier.ClassOf(countdown.ReferenceAnswer, countdown));
    }
}
