using System.Text;
using System.Text.RegularExpressions;
using Distill.Verification;

namespace Distill.Data.Tests.Verification;

/// <summary>Right answers, changed: what is accepted must depend on every part of it.</summary>
public sealed partial class AnswerMutationTests
{
    private const int Mutations = 100_000;

    private static readonly string[] Pieces =
    [
        "\\frac", "\\sqrt", "{", "}", "(", ")", "[", "]", "\\{", "\\}", "^", "_", "+", "-", "*", "/", "=", "<", ",", ";", ".", "!", "%",
        "|",
        "\\boxed{", "\\text{", "\\left", "\\right", "\\pm", "\\cup", "\\infty", "\\begin{pmatrix}", "\\end{pmatrix}", "&", "\\\\", "\\sin",
        "\\log_", "\\binom", "\\overline{", "x", "e", "i", "\\pi", "10", "999999999", "0", "0.", "e9", "kg", " and ", "####", "answer is ",
        "<think>", "</think>", "**", "$", "`", "\uD83D", "\u0663", "\u0000", "½", "²", "√", "≤", "!!!!!!!!!",
    ];

    /// <summary>The first digit of a number, turned into another: the value is quite another one.</summary>
    [Fact]
    public void A_changed_digit_is_not_accepted()
    {
        List<string> accepted = [];
        foreach (var row in VerificationFixtures.Rows("pairs.jsonl").Where(row => MathVerifierTests.Accepts(row) && !row.Flag("raw")))
        {
            string answer = row.Text("answer");
            if (Irrelevant().IsMatch(answer)) continue;
            var number = FirstDigit().Matches(answer).MaxBy(match => match.Length);
            if (number is null) continue;
            string changed = $"{answer[..number.Index]}{(number.Value[0] - '0') % 9 + 1}{answer[(number.Index + 1)..]}";
            if (Accepts(row.Text("gold"), changed)) accepted.Add($"{row.Text("id")}: '{row.Text("gold")}' and '{changed}'");
        }

        accepted.ShouldBeEmpty();
    }

    [Fact]
    public void Something_added_is_not_accepted()
    {
        List<string> accepted = [];
        foreach (var row in VerificationFixtures.Rows("pairs.jsonl").Where(row => MathVerifierTests.Accepts(row) && !row.Flag("raw")))
        {
            string answer = AnswerEnd().Replace(row.Text("answer"), "");
            // "\\," is a blank of LaTeX, and what is left of it would swallow what is added.
            if (answer.EndsWith('\\') || row.Text("answer").EndsWith("\\,", StringComparison.Ordinal)) continue;
            string[] changes = [$"{answer}+1", $"{answer}, 987", $"{answer} or 987", $"not {answer}", $"{answer} = 987", $"{answer})"];
            foreach (string changed in changes)
                if (Accepts(row.Text("gold"), changed)) accepted.Add($"{row.Text("id")}: '{row.Text("gold")}' and '{changed}'");
        }

        accepted.ShouldBeEmpty();
    }

    /// <summary>Whatever text comes, there is a verdict, the same again, after a bounded amount of work.</summary>
    [Fact]
    public void Random_changes_are_judged_with_bounded_work()
    {
        var random = new Random(17);
        var rows = VerificationFixtures.Rows("pairs.jsonl");
        long most = 0;
        for (int i = 0; i < Mutations; i++)
        {
            var row = rows[random.Next(rows.Count)];
            string answer = Changed(row.Text("answer"), random, rows[random.Next(rows.Count)].Text("answer"));
            var problem = new Asked(i % 10 == 0 ? Changed(row.Text("gold"), random, "x") : row.Text("gold"));
            long before = GC.GetAllocatedBytesForCurrentThread();
            var verdict = problem.By("math", answer);
            most = Math.Max(most, GC.GetAllocatedBytesForCurrentThread() - before);
            if (i % 50 != 0) continue;
            problem.By("math", answer).ShouldBe(verdict, answer);
            foreach (var verifier in Verifiers.All)
            {
                verifier.Verify(answer, problem);
                verifier.ClassOf(answer, problem);
                verifier.FaultOf(problem);
            }
        }

        most.ShouldBeLessThan(MathVerifierTests.MaxAllocated);
    }

    private static string Changed(string answer, Random random, string other)
    {
        var text = new StringBuilder(answer);
        for (int times = random.Next(1, 6); times > 0; times--)
        {
            int at = random.Next(text.Length + 1);
            int length = Math.Min(random.Next(4), text.Length - at);
            switch (random.Next(6))
            {
                case 0:
                    text.Remove(at, length);
                    break;
                case 1:
                    text.Insert(at, text.ToString(at, length));
                    break;
                case 2:
                    text.Insert(at, other.AsSpan(0, random.Next(other.Length + 1)));
                    break;
                case 3:
                    text.Insert(at, string.Concat(Enumerable.Repeat(Pieces[random.Next(Pieces.Length)], random.Next(1, 30))));
                    break;
                default:
                    text.Insert(at, Pieces[random.Next(Pieces.Length)]);
                    break;
            }
        }

        return text.ToString();
    }

    private static bool Accepts(string gold, string answer) => new Asked(gold).By("math", $"\\boxed{{{answer}}}") == Verdict.Correct;

    // Numbers that the value does not depend on: 0 over anything, what floor cuts off, the coefficient of a sum of squares that is 1.
    [GeneratedRegex(@"frac\{0\}|lfloor|lceil|sin\^2|0/|\{\}")]
    private static partial Regex Irrelevant();

    [GeneratedRegex("[1-9][0-9,]*")]
    private static partial Regex FirstDigit();

    [GeneratedRegex(@"[\s.,;:]+$")]
    private static partial Regex AnswerEnd();
}
