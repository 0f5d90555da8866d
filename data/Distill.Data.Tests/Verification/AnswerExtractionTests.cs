using Distill.Verification;

namespace Distill.Data.Tests.Verification;

/// <summary>Where the final answer of a text is.</summary>
public sealed class AnswerExtractionTests
{
    [Fact]
    public void Golden_answers_are_found_in_both_modes()
    {
        List<string> faults = [];
        foreach (var row in VerificationFixtures.Rows("extraction.jsonl"))
        {
            string text = row.Text("text");
            Compare("strict", AnswerExtraction.Strict(text));
            Compare("lenient", AnswerExtraction.Lenient(text));

            void Compare(string mode, string? found)
            {
                if (found != row.GetProperty(mode).GetString())
                    faults.Add($"{row.Text("id")} {mode}: '{found}' instead of '{row.GetProperty(mode).GetString()}' in '{text}'");
            }
        }

        faults.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("\\boxed{a\\\\{b}} rest", "a\\\\{b}")]
    [InlineData("\\boxed{5} and \\boxed{6", "5")]
    [InlineData("\\boxed{unfinished \\boxed{5}", "5")]
    [InlineData("\\boxed{x=\\boxed{5}}", "x=5")]
    [InlineData("\\boxed\t{5}", "5")]
    [InlineData("} } \\boxed{5} {", "5")]
    [InlineData("\\boxed{ } #### 7", "7")]
    [InlineData("#### \nThe answer is 7", "7")]
    [InlineData("The answer is $\\boxed{7", null)]
    [InlineData("The answer is: **7**.", "7")]
    [InlineData("THE ANSWER IS 7! Or so", "7! Or so")]
    [InlineData("Answer: `x`", "x")]
    [InlineData("Answer: **a** or **b**", "**a** or **b**")]
    [InlineData("\\boxed{$a$ or $b$}", "$a$ or $b$")]
    [InlineData("\\boxed{7\\,}", "7\\,")]
    [InlineData("Answer: ", null)]
    [InlineData("</think> answer is 3. And 4", "3")]
    [InlineData("the answer is 3 <think> the answer is 4 </think>", null)]
    public void A_marked_answer(string text, string? expected) => AnswerExtraction.Strict(text).ShouldBe(expected);

    [Theory]
    [InlineData("1,2345", "5")]
    [InlineData("from 3 to 4-5", "-5")]
    [InlineData("3.", "3")]
    [InlineData("1/2/3", "3")]
    [InlineData("50 %, or 50%.", "50%")]
    [InlineData("-", null)]
    public void The_last_number(string text, string? expected) => AnswerExtraction.Lenient(text).ShouldBe(expected);

    [Theory]
    [InlineData("\\boxed{")]
    [InlineData("\\boxed{\\boxed{1}")]
    [InlineData("**$")]
    [InlineData("<think></think>")]
    [InlineData("answer is ")]
    [InlineData("#### ")]
    [InlineData("{}")]
    [InlineData("1,")]
    public void A_long_text_is_read_in_one_pass(string part)
    {
        string text = string.Concat(Enumerable.Repeat(part, 200_000));

        Should.NotThrow(() => AnswerExtraction.Lenient(text));
        Should.NotThrow(() => AnswerExtraction.Lenient($"\\boxed{{{text}}}"));
    }
}
