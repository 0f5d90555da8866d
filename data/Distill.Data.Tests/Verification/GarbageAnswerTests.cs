using System.Diagnostics;
using Distill.Data.Problems;
using Distill.Data.Tests.Problems;
using Distill.Verification;

namespace Distill.Data.Tests.Verification;

/// <summary>Whatever a model writes gets a verdict, and soon.</summary>
public sealed class GarbageAnswerTests
{
    private const int Long = 100_000;

    private static readonly string?[] Garbage =
    [
        null, "", " ", "\n\t\r ", ".", "...", ",", "-", "- -", "--5", "+", "()", "( )", ")", "(", "1 +", "+ 1", "1 1", "1 + ", "* 2",
        "( 1", "1 )", "1 / 2", "99999999999999999999999999", "-99999999999999999999999999", "2147483648", "1e5", "0x10", "NaN",
        "Infinity", "1.5", "1,000", "½", "٣", "１２", "²", "é", "漢字", "\uD83D\uDC4D", "\uD800", "\uDFFF\uD800", "\0", "\u202E12", "\u200B",
        "İmpossible", "ımpossıble", "\u212Anight", "<|end|>", "</think>", "{{ 7 * 7 }}", "'; DROP TABLE problems; --",
        "Environment.Exit(1)", "yes no", "knight", "anna", "anna anna", "anna knight ben", "knight anna",
        "9999 * 9999 * 9999 * 9999 * 9999 * 9999", "9999 * 9999 * 9999 - 9999 * 9999 * 9999", "((((((((((((((((1))))))))))))))))",
        "(((((((((((((((((1)))))))))))))))))", new string('(', 190) + "1", new string('(', Long),
        new string('(', Long) + "1" + new string(')', Long), string.Concat(Enumerable.Repeat("( ", Long)),
        string.Concat(Enumerable.Repeat("1 + ", Long)) + "1", string.Concat(Enumerable.Repeat("anna knight , ", Long)),
        new string('9', Long), new string(' ', Long), new string('-', Long), new string('.', Long), new string('a', Long),
        string.Concat(Enumerable.Repeat("\uD83D\uDC4D", Long)), new string(' ', Long) + "12", new string('0', Long) + "12",
    ];

    public static TheoryData<string> Families => FamilySamples.Families;

    [Theory]
    [MemberData(nameof(Families))]
    public void Garbage_is_never_right_and_never_a_fault(string family)
    {
        var verifier = ProblemFamilies.Get(family).Verifier;
        foreach (var problem in FamilySamples.WithTwins(family, 2).Take(20))
        {
            foreach (var answer in Garbage)
                verifier.Verify(answer, problem).ShouldNotBe(Verdict.Correct, answer);
        }
    }

    /// <summary>Thousands of times what it takes, and far less than anything that grows faster than the answer would take.</summary>
    [Theory]
    [MemberData(nameof(Families))]
    public void Garbage_is_decided_soon(string family)
    {
        var verifier = ProblemFamilies.Get(family).Verifier;
        var problem = FamilySamples.Of(family, 3)[0].Problem;
        var watch = Stopwatch.StartNew();

        foreach (var answer in Garbage)
            verifier.Verify(answer, problem);

        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(10));
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Text_that_is_no_answer_is_undecidable(string family)
    {
        var verifier = ProblemFamilies.Get(family).Verifier;
        var problem = FamilySamples.Of(family, 2)[0].Problem;

        string?[] answers =
            [null, "", " . ", "i do not know", "12 apples", new string('(', Long), problem.ReferenceAnswer + new string(' ', Long)];
        foreach (var answer in answers)
            verifier.Verify(answer, problem).ShouldBe(Verdict.Undecidable, answer);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Answers_spliced_from_right_ones_are_decided(string family)
    {
        var verifier = ProblemFamilies.Get(family).Verifier;
        var problems = FamilySamples.WithTwins(family, 3).ToArray();
        var random = new Random(5);
        string[] pieces =
            ["(", ")", "*", "-", "+", "knight", "knave", ",", ".", "and", "is", "0", "impossible", "contradiction", "yes", "\uD800", " "];
        var verdicts = new HashSet<Verdict>();
        for (var i = 0; i < 2000; i++)
        {
            var problem = problems[random.Next(problems.Length)];
            var words = problem.ReferenceAnswer.Split(' ').ToList();
            for (var times = random.Next(4); times > 0; times--)
                words[random.Next(words.Count)] = pieces[random.Next(pieces.Length)];
            verdicts.Add(verifier.Verify(string.Join(' ', words), problem));
        }

        verdicts.Count.ShouldBe(3);
    }
}
