using System.Text.Json;
using Distill.Verification;

namespace Distill.Data.Tests.Verification;

/// <summary>Which answers mean what the reference means.</summary>
public sealed class MathVerifierTests
{
    /// <summary>
    /// Bytes that one verdict may leave to the collector. Long arithmetic leaves some with every step, so this bounds work too.
    /// </summary>
    internal const long MaxAllocated = 32 << 20;

    /// <summary>Rows of the larger set whose intended verdict this verifier does not give, and why.</summary>
    private static readonly Dictionary<string, string> Explained = new()
    {
        ["A1873"] = "3:11 is a time of day as well as a ratio, and nothing but the problem's text could tell; 6:22 is another time",
        ["A1874"] = "3:11 is a time of day as well as a ratio, and nothing but the problem's text could tell; a time is no fraction",
    };

    [Fact]
    public void Golden_pairs_get_the_intended_verdict()
    {
        var rows = VerificationFixtures.Rows("pairs.jsonl");
        var missed = rows.Where(row => !row.Flag("disputed") && Accepts(row) != row.Flag("intended")).ToList();

        missed.Where(row => !Explained.ContainsKey(row.Text("id"))).Select(Shown).ShouldBeEmpty();
        missed.Count.ShouldBeLessThanOrEqualTo(rows.Count / 50);
    }

    /// <summary>Also where the reference implementation says otherwise: a wrong unit, an anagram, another base, a hedged answer.</summary>
    [Fact]
    public void No_golden_pair_is_accepted_that_should_not_be() => VerificationFixtures.Rows("pairs.jsonl")
        .Where(row => !row.Flag("intended") && Accepts(row)).Select(Shown).ShouldBeEmpty();

    [Fact]
    public void Golden_hostile_answers_get_an_allowed_verdict_and_little_memory()
    {
        List<string> faults = [];
        foreach (var row in VerificationFixtures.Rows("hostile.jsonl"))
        {
            string answer = row.Joined("answer");
            var allowed = row.GetProperty("allowed").EnumerateArray().Select(verdict => verdict.GetString()).ToList();
            foreach (string text in new[] { answer, $"\\boxed{{{answer}}}" })
            {
                var problem = new Asked(row.Text("gold"));
                long before = GC.GetAllocatedBytesForCurrentThread();
                var verdict = problem.By("math", text);
                long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
                if (!allowed.Contains(verdict.ToString())) faults.Add($"{row.Text("id")}: {verdict}");
                if (allocated > MaxAllocated + (20L * text.Length)) faults.Add($"{row.Text("id")}: {allocated} bytes");
                problem.ClassBy("math", text);
            }
        }

        faults.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("0.1666\\ldots", "\\frac{1}{6}", Verdict.Correct)]
    [InlineData("20 \\text{ g}", "20g", Verdict.Correct)]
    [InlineData("20 \\text{ g}", "20kg", Verdict.Incorrect)]
    [InlineData("5m", "5 m", Verdict.Correct)]
    [InlineData("12 apples", "12 red apples", Verdict.Correct)]
    [InlineData("f(x)=x^2", "x^2", Verdict.Correct)]
    [InlineData("0", "0.0000001", Verdict.Incorrect)]
    [InlineData("\\pi", "3.141593", Verdict.Correct)]
    [InlineData("\\pi", "3.1416", Verdict.Incorrect)]
    [InlineData("1000000", "1000001", Verdict.Incorrect)]
    [InlineData("66514292.00", "66514293", Verdict.Incorrect)]
    [InlineData("(-8)^{1/3}", "-2", Verdict.Correct)]
    [InlineData("x^2", "x²", Verdict.Correct)]
    [InlineData("3½", "\\frac72", Verdict.Correct)]
    [InlineData("\\{x | x>3\\}", "(3,\\infty)", Verdict.Correct)]
    [InlineData("3^{4^5}", "(3^4)^5", Verdict.Incorrect)]
    [InlineData("3", "The answer is 3!", Verdict.Correct)]
    [InlineData("6", "The answer is 3!", Verdict.Incorrect)]
    [InlineData("6", "\\boxed{3!}", Verdict.Correct)]
    [InlineData("3!", "The answer is 3!", Verdict.Correct)]
    [InlineData("45", "45_{8}", Verdict.Incorrect)]
    [InlineData("(1,2)", "(y,x)=(1,2)", Verdict.Undecidable)]
    [InlineData("7", "7 is wrong", Verdict.Undecidable)]
    [InlineData("7", "\\boxed{7 \\text{ is not it}}", Verdict.Undecidable)]
    [InlineData("7", "\\boxed{7 \\text{ million}}", Verdict.Undecidable)]
    [InlineData("7", "\\int_0^7 dx", Verdict.Undecidable)]
    [InlineData("7", "I do not know.", Verdict.Undecidable)]
    public void A_pair(string gold, string answer, Verdict expected) => new Asked(gold).By("math", answer).ShouldBe(expected);

    [Theory]
    [InlineData("2", "2 thirds")]
    [InlineData("5", "5 halves")]
    [InlineData("3", "3 millions")]
    [InlineData("5", "5 squared")]
    [InlineData("5", "5 cubed")]
    [InlineData("4", "4 factorial")]
    [InlineData("2", "2 dozens")]
    [InlineData("7", "7 tenths")]
    [InlineData("5", "5 below")]
    public void Words_that_change_a_number_are_no_units(string gold, string answer)
    {
        new Asked(gold).By("math", answer).ShouldNotBe(Verdict.Correct);
        new Asked(gold).By("math", $"\\boxed{{{answer}}}").ShouldNotBe(Verdict.Correct);
    }

    [Theory]
    [InlineData("5", "5 quarters")]
    [InlineData("5", "5 meters squared")]
    [InlineData("5 m^2", "5 square meters")]
    [InlineData("5 s", "5 seconds")]
    [InlineData("5", "5 minutes")]
    [InlineData("9", "9 meters per second squared")]
    public void Words_that_measure_are(string gold, string answer) => new Asked(gold).By("math", answer).ShouldBe(Verdict.Correct);

    [Fact]
    public void A_time_of_day_is_a_ratio_where_the_problem_speaks_of_one()
    {
        new Asked("3:20").By("math", "6:40").ShouldBe(Verdict.Incorrect);
        new Asked("3:20", "What is the ratio of cats to dogs?").By("math", "6:40").ShouldBe(Verdict.Correct);
    }

    [Fact]
    public void The_reference_may_leave_its_base_out_where_the_problem_names_it() =>
        new Asked("1101", "Write 13 in base 2.").By("math", "1101_2").ShouldBe(Verdict.Correct);

    [Theory]
    [InlineData("\\frac{1}{0}")]
    [InlineData("9^{9^{9^9}}")]
    [InlineData("\\int_0^1 x dx")]
    [InlineData("")]
    [InlineData("<think> 5")]
    public void A_reference_without_a_value_is_named_and_accepts_nothing(string gold)
    {
        new Asked(gold).FaultBy("math").ShouldNotBeNull();
        foreach (string answer in new[] { gold, "5", "0", "1" }) new Asked(gold).By("math", answer).ShouldNotBe(Verdict.Correct);
    }

    [Theory]
    [InlineData("0.5", "\\frac{1}{2}")]
    [InlineData("1,200", "1200.0")]
    [InlineData("\\sqrt{8}", "2\\sqrt{2}")]
    [InlineData("\\{1,2,2\\}", "\\{2,1\\}")]
    [InlineData("(x+1)^2", "x^2+2x+1")]
    [InlineData("20 kg", "20 kilograms")]
    [InlineData("\\text{Monday}", "monday")]
    public void Votes_for_one_value_are_counted_together(string first, string second) =>
        new Asked("").ClassBy("math", first).ShouldBe(new Asked("").ClassBy("math", second));

    [Theory]
    [InlineData("\\frac{1}{2^{99}}", "\\frac{1}{2^{98}}")]
    [InlineData("20 kg", "20 g")]
    [InlineData("35\\%", "0.35")]
    [InlineData("1, 2", "2, 1")]
    [InlineData("\\sqrt{2}", "1.4142135624")]
    [InlineData("(1,2)", "[1,2]")]
    public void Votes_that_could_get_two_verdicts_are_not(string first, string second) =>
        new Asked("").ClassBy("math", first).ShouldNotBe(new Asked("").ClassBy("math", second));

    /// <summary>A class may be split further than verdicts are, never the other way round.</summary>
    [Fact]
    public void Golden_answers_of_one_class_have_one_verdict()
    {
        foreach (var group in VerificationFixtures.Rows("pairs.jsonl").GroupBy(row => row.Text("gold")))
        {
            var problem = new Asked(group.Key);
            foreach (var votes in group.GroupBy(row => problem.ClassBy("math", AnswerOf(row))).Where(votes => votes.Key is not null))
                votes.Select(row => problem.By("math", AnswerOf(row))).Distinct().Count().ShouldBe(1, $"{group.Key}: {votes.Key}");
        }
    }

    internal static string AnswerOf(JsonElement row) => row.Flag("raw") ? row.Text("answer") : $"\\boxed{{{row.Text("answer")}}}";

    internal static bool Accepts(JsonElement row) => new Asked(row.Text("gold")).By("math", AnswerOf(row)) == Verdict.Correct;

    private static string Shown(JsonElement row) => $"{row.Text("id")}: '{row.Text("gold")}' and '{row.Text("answer")}'";
}
