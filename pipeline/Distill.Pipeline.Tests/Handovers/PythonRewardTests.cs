using System.Text.Json;
using Distill.Data.Problems;
using Distill.Generation;
using Distill.Pipeline.Handovers;
using Distill.Student.Reinforcement;
using Distill.Teacher;
using Distill.Tokenization;
using Distill.Verification;

namespace Distill.Pipeline.Tests.Handovers;

/// <summary>The rewards that other trainers are handed, in Python, beside ours.</summary>
public sealed class PythonRewardTests : IDisposable
{
    private static readonly (string Verifier, string Reference, string[] Choices)[] Asked =
    [
        ("integer", "1234", []), ("integer", "-7", []), ("exact", "New York", []), ("exact", "Ünïcode \\text{word}", []),
        ("choice", "B", []), ("choice", "B", ["3 apples", "4 apples", "B"]), ("choice", "blue", ["red", "blue", "green"]),
        ("regex", "a+b?", []), ("regex", @"\d{2}:\d{2}", []),
    ];

    private static readonly string[] Given =
    [
        "1234", "1,234", "1234.0", "1234.", "$1234", "\\$1234", "€1234", "1234 apples", "1234 m/s", "1234 cm^2", "1234\\text{ apples}",
        "1234\\,\\text{kg}", "1\\,234", "1 234", "x = 1234", "=1234", "600+634", "12345", "1{,}234", "-7", "−7", "- 7", "-7.00", "7",
        "+7", "7%", "\\text{-7}", "-7 degrees", "1234^\\circ", "1234\\%", "(1234)", "1234!", "1234.5", "1,234,567", "12,34",
        "about 1234", "so we get 1234", "one thousand", "seven", "0001234", "-007", "\\frac{1}{2}", "New York", "  new   york. ",
        "**New York**", "\\text{New York}", "New~York", "\\mathrm{New}\\ York", "York", "new york city", "ünïcode word", "B", "b", "(b)",
        "((B))", "B]", "B.", "B;", "b.)", "Option B", "option b)", "Choice B", "Answer A", "answer: B", "\\textbf{B}", "B) 4 apples",
        "(B) 4 apples", "c: green", "C. green", "4 apples", "C", "blue", "Blue.", "BLUE!", "green", "A or B", "red, blue", "aab", "aa",
        "ab", "ba", "12:30", "12:300", "13:45 pm", "", " ", "no idea at all", "Z",
    ];

    // How completions put an answer.
    private static readonly string[] Put =
    [
        "{0}", "The answer is {0}.", "Answer: {0}", "**Answer:** {0}", "so\n#### {0}\nindeed", "Hence \\boxed{{{0}}}.",
        "$\\boxed{{ {0} }}$ then", "\\boxed{{1}} but \\boxed{{{0}}}", "<think>#### 5</think>{0}", "<think>open {0}", "\\boxed{{{0}",
        "`{0}`", "\\boxed{{\\boxed{{{0}}}}}", "the answer is: **{0}**, surely", "\\({0}\\)",
    ];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Verifiers_that_Python_works_out_itself_agree_with_ours_on_everything_tried()
    {
        Assert.SkipWhen(Python.Missing, Python.Reason);
        Trainers.WriteScripts(folder.Path, "answers.py");
        var problems = Asked.Select((asked, place) => new Problem(
            $"p{place}", "file", "d", Split.Train, 1, "?", asked.Reference, null, $"p{place}")
        { Verifier = asked.Verifier, Choices = asked.Choices }).ToList();
        Lines("problems.jsonl", problems.Select(problem => (object)new
        {
            problem_id = problem.Id, verifier = problem.Verifier, reference_answer = problem.ReferenceAnswer, choices = problem.Choices,
        }));
        var sample = problems.SelectMany(problem => Given.SelectMany(given => Put.Select(put => string.Format(null, put, given)))
            .Append(null).Select(answer => (problem, answer))).ToList();
        Lines("reward-sample.jsonl", sample.Select(pair => (object)new
        {
            problem_id = pair.problem.Id, pair.answer,
            verdict = VerdictName.Of(ProblemVerifiers.Standard.Of(pair.problem).Verify(pair.answer, pair.problem)),
        }));
        var (code, said) = Python.Script(folder.Path, "answers.py", "", "--check");
        (code, said.Trim()).ShouldBe((0, $"{sample.Count} of {sample.Count} verdicts agree"));
    }

    [Fact]
    public void Rewards_of_tokens_are_those_of_the_recipe()
    {
        Assert.SkipWhen(Python.Missing, Python.Reason);
        Trainers.WriteScripts(folder.Path, "answers.py");
        var encoder = ChatEncoder.Load(Path.Combine(RepositoryFolder.Root, "student/models/tiny-base"));
        var tokenizer = encoder.Tokenizer;
        int open = tokenizer.IdOf(ThinkMarks.Open)!.Value, close = tokenizer.IdOf(ThinkMarks.Close)!.Value, end = encoder.EndToken;
        int[] Words(string text) => tokenizer.Encode(text);
        int[][] completions =
        [
            [open, .. Words("21 + 11 = 32"), close, .. Words("32"), end], [open, .. Words("21 + 11 = 33"), close, .. Words("33"), end],
            [open, .. Words("21 + 11 = 32"), close, .. Words("32")], [open, .. Words("21 + 11 = 32"), end], [.. Words("32"), end],
            [open, .. Words("32"), close, open, .. Words("32"), close, .. Words("32"), end], [end], [.. Words("1 1 1 1 1 1 1 1 1 1 1 1")],
            [.. Words("the answer is 32"), close, end], [open, .. Words("so"), close, .. Words("no idea"), end],
        ];
        var problem = new Problem("p", "file", "d", Split.Train, 1, "21 + 11", "32", null, "p") { Verifier = "integer" };
        Lines("problems.jsonl", [new { problem_id = "p", verifier = "integer", reference_answer = "32" }]);
        const int Limit = 24, Margin = 10;
        var rule = new RewardRule(
        [
            new(new VerdictReward(skipUndecidable: true), 1), new(new FormatReward(tokenizer), 0.25),
            new(new OverlongReward(Limit, Margin), 0.5), new(new RepetitionReward(3), 0.125),
        ]);
        var parser = new ReasoningParser(tokenizer);
        var cases = completions.Select(ids =>
        {
            var completion = new Completion(ids, new float[ids.Length], ids[^1] == end ? StopReason.StopToken : StopReason.Length, 1);
            var verdict = ProblemVerifiers.Standard.Of(problem).Verify(parser.Parse(completion).Answer, problem);
            double reward = rule.Earned(verdict, completion).Sum();
            return new { ids, reward = double.IsNaN(reward) ? (double?)null : reward };
        }).ToList();
        cases.Select(one => one.reward).Distinct().Count().ShouldBeGreaterThan(4);
        cases.ShouldContain(one => one.reward == null);
        Lines("cases.jsonl", cases);
        Lines("pieces.jsonl", Enumerable.Range(0, tokenizer.VocabularySize).Select(id => (object)new
        {
            shown = tokenizer.Decode([id], skipSpecial: false), kept = tokenizer.Decode([id], skipSpecial: true),
        }));
        var options = new
        {
            verdict = 1.0, format = 0.25, length = 0.5, repetition = 0.125, length_margin = Margin, repetition_length = 3,
            skip_undecidable = true, max_tokens = Limit, end_tokens = encoder.EndTokens,
            marks = new Dictionary<string, int> { ["<think>"] = open, ["</think>"] = close },
        };
        File.WriteAllText(folder["options.json"], JsonSerializer.Serialize(options));
        // The library's tokenizer by its pieces, which for these words are enough.
        var (code, said) = Python.Run(folder.Path, """
            import json, sys
            sys.path.insert(0, ".")
            from answers import Judge, Rewards, rows
            options = json.load(open("options.json"))
            pieces = rows("pieces.jsonl")
            class Tokenizer:
                def get_added_vocab(self): return options["marks"]
                def decode(self, ids, skip_special_tokens):
                    return "".join(pieces[i]["kept" if skip_special_tokens else "shown"] for i in ids)
            rewards = Rewards(options, Judge(), Tokenizer())
            for row in rows("cases.jsonl"):
                got = rewards.of("p", row["ids"])
                same = got == row["reward"] if None in (got, row["reward"]) else abs(got - row["reward"]) < 1e-9
                if not same: print(row["ids"], row["reward"], got)
            """);
        (code, said).ShouldBe((0, ""));
    }

    private void Lines(string name, IEnumerable<object> rows) =>
        File.WriteAllLines(folder[name], rows.Select(row => JsonSerializer.Serialize(row)));
}
