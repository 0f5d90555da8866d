using Distill.Data.Problems;
using Distill.Verification;

namespace Distill.Data.Tests.Verification;

/// <summary>Which ways to write an answer count where the answer is more than a number.</summary>
public sealed class FamilyAnswerFormTests
{
    private const string Street = "houses 1 2 stand from left to right . people : anna , ben . pets : cat , dog . who lives where ?";

    private const string Statements =
        "( 1 ) anna comes . ( 2 ) if anna comes then ben comes . ( 3 ) ben does not come . ( 4 ) ben and anna do not both come . "
        + "which statements contradict each other ? zoe has 12 coins .";

    [Theory]
    [InlineData("1 anna cat , 2 ben dog", Verdict.Correct)]
    [InlineData("2 dog ben , 1 cat anna", Verdict.Correct)]
    [InlineData("House 1: Anna has the cat. House 2: Ben has the dog.", Verdict.Correct)]
    [InlineData("1 anna , cat , 2 ben , dog", Verdict.Correct)]
    [InlineData("So the answer is \\boxed{1 anna cat, 2 ben dog}", Verdict.Correct)]
    [InlineData("1 anna dog , 2 ben cat", Verdict.Incorrect)]
    [InlineData("1 anna , 2 ben", Verdict.Incorrect)]
    [InlineData("contradiction", Verdict.Incorrect)]
    [InlineData("1 anna cat , 2 tom dog", Verdict.Undecidable)]
    [InlineData("anna cat , ben dog", Verdict.Undecidable)]
    [InlineData("1 2 anna cat ben dog", Verdict.Undecidable)]
    public void A_street(string answer, Verdict expected) => Verify("zebra", Street, "1 anna cat , 2 ben dog", answer).ShouldBe(expected);

    [Theory]
    [InlineData("no chefs are bakers", "No bakers are chefs.", Verdict.Correct)]
    [InlineData("some chefs are bakers", "some bakers are chefs", Verdict.Correct)]
    [InlineData("all chefs are bakers", "all bakers are chefs", Verdict.Incorrect)]
    [InlineData("some chefs are not bakers", "some bakers are not chefs", Verdict.Incorrect)]
    [InlineData("all chefs are bakers", "some chefs are bakers", Verdict.Incorrect)]
    [InlineData("all chefs are bakers", "nothing", Verdict.Incorrect)]
    [InlineData("yes", "<think>it does</think> The answer is yes.", Verdict.Correct)]
    [InlineData("yes", "it does", Verdict.Undecidable)]
    [InlineData("all chefs are bakers", "chefs are bakers", Verdict.Undecidable)]
    public void A_conclusion(string reference, string answer, Verdict expected) =>
        Verify("syllogisms", "text", reference, answer).ShouldBe(expected);

    [Theory]
    [InlineData("3 / 4", "0.75", Verdict.Correct)]
    [InlineData("3 / 4", "6/8 hours", Verdict.Correct)]
    [InlineData("7 / 4", "1 3/4", Verdict.Correct)]
    [InlineData("1800", "1,800 hours.", Verdict.Correct)]
    [InlineData("1800", "#### 1800.0", Verdict.Correct)]
    [InlineData("1", "1 hour", Verdict.Correct)]
    [InlineData("3 / 4", "0.7500001", Verdict.Incorrect)]
    [InlineData("60", "60 minutes", Verdict.Incorrect)]
    [InlineData("60", "impossible", Verdict.Incorrect)]
    [InlineData("60", "60 apples", Verdict.Undecidable)]
    [InlineData("60", "60/0", Verdict.Undecidable)]
    [InlineData("60", "1,00", Verdict.Undecidable)]
    public void An_amount(string reference, string answer, Verdict expected) =>
        Verify("units", "text", reference, answer, "units:any minutes>hours").ShouldBe(expected);

    [Theory]
    [InlineData("4 april 2023", "April 4, 2023", Verdict.Correct)]
    [InlineData("4 april 2023", "4th of april 2023", Verdict.Correct)]
    [InlineData("4 april 2023", "2023-04-04", Verdict.Correct)]
    [InlineData("4 april 2023", "5 april 2023", Verdict.Incorrect)]
    [InlineData("4 april 2023", "tuesday", Verdict.Incorrect)]
    [InlineData("4 april 2023", "4 april", Verdict.Undecidable)]
    [InlineData("4 april 2023", "4 avril 2023", Verdict.Undecidable)]
    [InlineData("tuesday", "Tuesday.", Verdict.Correct)]
    [InlineData("73", "73 days", Verdict.Correct)]
    [InlineData("73", "impossible", Verdict.Incorrect)]
    public void A_day(string reference, string answer, Verdict expected) =>
        Verify("calendar", "text", reference, answer).ShouldBe(expected);

    /// <summary>Of two minimal sets both are right, whichever the reference names; what contains one, or misses a part, is not.</summary>
    [Theory]
    [InlineData("1 , 2 , 3", Verdict.Correct)]
    [InlineData("1 , 2 , 4", Verdict.Correct)]
    [InlineData("statements 4, 2 and 1.", Verdict.Correct)]
    [InlineData("1 , 2 , 3 , 4", Verdict.Incorrect)]
    [InlineData("1 , 2", Verdict.Incorrect)]
    [InlineData("2 , 3", Verdict.Incorrect)]
    [InlineData("5", Verdict.Incorrect)]
    [InlineData("consistent", Verdict.Incorrect)]
    [InlineData("1 , 1 , 2 , 3", Verdict.Undecidable)]
    [InlineData("the first two", Verdict.Undecidable)]
    public void A_contradicting_set(string answer, Verdict expected) =>
        Verify("consistency", Statements, "1 , 2 , 3", answer).ShouldBe(expected);

    [Fact]
    public void A_question_without_statements_is_a_fault_that_is_named()
    {
        var problem = Of("consistency", "which statements ?", "1 , 2", "");
        var verifier = ProblemFamilies.Get("consistency").Verifier;

        verifier.FaultOf(problem).ShouldBe("the question holds no numbered statements that can be read");
        Should.Throw<ArgumentException>(() => verifier.Verify("1", problem)).Message.ShouldContain("which statements ?");
        verifier.FaultOf(Of("consistency", Statements, "1 , 3", "")).ShouldBe("the reference is no minimal contradicting set");
    }

    private static Verdict Verify(string family, string text, string reference, string answer, string signature = "") =>
        ProblemFamilies.Get(family).Verifier.Verify(answer, Of(family, text, reference, signature));

    private static Problem Of(string family, string text, string reference, string signature) =>
        new("id", family, "domain", Split.Test, 1, text, reference, null, signature);
}
