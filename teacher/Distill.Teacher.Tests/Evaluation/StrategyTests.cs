using CsCheck;
using Distill.Data.Problems;
using Distill.Evaluation.Strategies;
using Distill.Generation;
using Distill.Teacher.Tests.Fixtures;
using Distill.Tokenization;

namespace Distill.Teacher.Tests.Evaluation;

/// <summary>Strategies on a model that a test dictates: it answers "ask N" problems by script, reply text → tokens.</summary>
public sealed class StrategyTests
{
    private static readonly StrategyOptions Options = new() { Budget = 4, MaxNewTokens = 60, MaxAnswerTokens = 12, WaitText = " Wait" };

    private static readonly IReadOnlyList<Problem> Problems = ProblemSet.Generate([new ProblemSetPart("arithmetic", 1)], 5, Split.Test, 12);

    [Fact]
    public void Self_consistency_outvotes_a_model_that_is_right_two_times_in_three()
    {
        var report = Run(
            new SelfConsistency(), Options with { Budget = 15 },
            (problem, random) => random % 3 == 0 ? Reply("no", "99999") : Reply("yes", problem.ReferenceAnswer));
        report.Levels.Select(level => level.Name).ShouldBe(["greedy", "1 sample", "2 samples", "4 samples", "8 samples", "15 samples"]);
        report.Levels[^1].Accuracy.ShouldBeGreaterThan(report.Levels[1].Accuracy);
        report.Levels[^1].Accuracy.ShouldBeGreaterThan(0.8);
        report.Levels.Skip(1).Select(level => level.MeanTokens).ShouldBeInOrder();
    }

    [Fact]
    public void A_decided_vote_draws_no_more_samples()
    {
        var report = Run(new SelfConsistency(), Options with { Budget = 9 }, (problem, _) => Reply("sure", problem.ReferenceAnswer));
        report.Totals.Completions.ShouldBe(Problems.Count * (5 + 1)); // five equal votes of nine decide; and the greedy answer
        report.Levels[^1].MeanTokens.ShouldBe(5 * report.Levels[1].MeanTokens, 1e-9);
    }

    [Fact]
    public void Best_of_n_by_the_verifier_finds_any_right_sample_and_by_probability_the_surest()
    {
        var options = Options with { Budget = 16 };
        Func<Problem, int, string> mostlyWrong = (problem, random) =>
            random % 4 == 0 ? Reply("r", problem.ReferenceAnswer) : Reply("w", "99999");
        var verified = Run(BestOfN.ByVerifier, options, mostlyWrong);
        verified.Levels[^1].Accuracy.ShouldBeGreaterThan(0.9);
        verified.Levels[^1].MeanTokens.ShouldBe(16 * verified.Levels[1].MeanTokens, verified.Levels[1].MeanTokens * 4);
        Run(BestOfN.ByLogProbability, options, mostlyWrong).Levels[^1].Accuracy.ShouldBeLessThan(verified.Levels[^1].Accuracy + 1e-9);
    }

    [Fact]
    public void Budget_forcing_prolongs_the_thinking_and_ends_it_at_the_cap()
    {
        // Right only after it was made to wait twice: the script sees the whole sequence.
        var report = Run(new BudgetForcing(), Options with { Budget = 3, Temperature = 0, MaxNewTokens = 40 }, text =>
        {
            int waits = text.Split(" Wait").Length - 1;
            return text.Contains(ThinkMarks.Close, StringComparison.Ordinal)
                ? (waits >= 2 ? "RIGHT" : "99999") + "<|end|>"
                : (waits == 0 ? ThinkMarks.Open : "") + "hm" + ThinkMarks.Close;
        });
        report.Levels.Select(level => level.Name).ShouldBe(["greedy", "no wait", "1 wait", "2 waits", "3 waits"]);
        report.Levels.Select(level => level.Accuracy).ShouldBe([0, 0, 0, 1, 1]);
        double[] tokens = [.. report.Levels.Skip(1).Select(level => level.MeanTokens)];
        (tokens[1] - tokens[0]).ShouldBe(" Wait".Length + "hm".Length); // a byte is a token here
    }

    [Fact]
    public void Thinking_without_end_is_closed_by_force_and_answered()
    {
        var report = Run(new BudgetForcing(), Options with { Budget = 1, Temperature = 0, MaxNewTokens = 20 }, text =>
            text.Contains(ThinkMarks.Close, StringComparison.Ordinal) ? "RIGHT<|end|>" : "and so on and on and on and on and on and on");
        report.Levels.Select(level => level.Accuracy).ShouldBe([0, 1, 1]); // greedily it is cut off; there is no room to wait
        report.Levels[1].MeanTokens.ShouldBe(report.Levels[2].MeanTokens);
    }

    [Fact]
    public void Words_that_the_tokenizer_cannot_spell_are_refused() =>
        Should.Throw<InvalidDataException>(() => Run(new BudgetForcing(), Options with { WaitText = "" }, (_, _) => "x")).Message
            .ShouldContain("spell");

    [Fact]
    public void Refinement_shows_the_model_its_own_answer()
    {
        var report = Run(new SelfRefinement(), Options with { Budget = 2, Temperature = 0 }, text =>
            (text.Contains(Options.RevisionText, StringComparison.Ordinal) ? "RIGHT" : "99999") + "<|end|>");
        report.Levels.Select(level => level.Name).ShouldBe(["greedy", "draft", "1 revision", "2 revisions"]);
        report.Levels.Select(level => level.Accuracy).ShouldBe([0, 0, 1, 1]);
        report.Levels[2].Gain.ShouldBe(1);
    }

    private static string Reply(string reasoning, string answer) => $"{ThinkMarks.Open}{reasoning}{ThinkMarks.Close}{answer}<|end|>";

    private static StrategyReport Run(IStrategy strategy, StrategyOptions options, Func<Problem, int, string> reply) =>
        Run(
            strategy, options,
            Enumerable.Range(0, 12).Select(choice => (Func<Problem, string>)(problem => reply(problem, choice))).ToArray());

    /// <param name="script">Prompt and reply so far → what the model would say from there on; RIGHT stands for the right answer.</param>
    private static StrategyReport Run(IStrategy strategy, StrategyOptions options, Func<string, string> script) =>
        Evaluate(strategy, options, (prompt, said, problem) =>
        {
            // In the middle of saying something the model goes on with it.
            for (int start = 0; ; start++)
            {
                string text = script(prompt + said[..start]).Replace("RIGHT", problem.ReferenceAnswer, StringComparison.Ordinal);
                if (text.StartsWith(said[start..], StringComparison.Ordinal) && text.Length > said.Length - start)
                    return [text[(said.Length - start)..]];
            }
        });

    /// <summary>The first token chooses among replies: what follows is certain.</summary>
    private static StrategyReport Run(IStrategy strategy, StrategyOptions options, Func<Problem, string>[] replies) =>
        Evaluate(
            strategy, options,
            (_, said, problem) => [.. replies.Select((reply, choice) => (char)('A' + choice) + reply(problem))
                .Where(reply => reply.StartsWith(said, StringComparison.Ordinal)).Select(reply => reply[said.Length..])]);

    private static StrategyReport Evaluate(
        IStrategy strategy, StrategyOptions options, Func<string, string, Problem, IReadOnlyList<string>> continuations)
    {
        var prompts = Problems.ToDictionary(
            problem => problem, problem => TinyTokenizer.Encoder.EncodePrompt([ChatMessage.User(problem.Text)]));
        using var model = new ScriptedTokenModel(TinyTokenizer.Tokenizer.VocabularySize, 4096, (sequence, logits) =>
        {
            logits.Fill(-100);
            int[] tokens = sequence.ToArray();
            Problem? problem = Problems.FirstOrDefault(problem => tokens.AsSpan().StartsWith(prompts[problem].AsSpan()[..^1]));
            problem ??= Problems.First(problem => TinyTokenizer.Tokenizer.Decode(tokens).Contains(problem.Text, StringComparison.Ordinal));
            string whole = TinyTokenizer.Tokenizer.Decode(tokens), prompt = TinyTokenizer.Tokenizer.Decode(prompts[problem]);
            string said = tokens.Length > prompts[problem].Length ? whole[prompt.Length..] : "";
            foreach (string text in continuations(prompt, said, problem)) logits[TinyTokenizer.Tokens(text)[0]] = 1;
        });
        var reasoner = new Reasoner(new BatchGenerator(model, slots: 7), TinyTokenizer.Encoder);
        return StrategyEvaluation.Run("scripted", strategy, reasoner, Problems, options);
    }
}

public sealed class VoteTests
{
    [Fact]
    public void A_decided_vote_stays_as_it_is_whatever_comes() =>
        Gen.Select(Gen.Char["abc-"].Array[1, 9], Gen.Char["abc-"].Array[0, 9]).Sample((first, rest) =>
        {
            Vote early = Count(first), full = Count([.. first, .. rest]);
            if (early.IsDecided(rest.Length)) full.Winner.ShouldBe(early.Winner);
        }, iter: 5000);

    [Fact]
    public void An_open_vote_can_still_turn_or_tie() => Gen.Char["abc-"].Array[1, 7].Sample(first =>
    {
        Vote vote = Count(first);
        for (int more = 1; more < 5; more++)
        {
            if (vote.IsDecided(more)) continue;
            char[] others = ['a', 'b', 'c', 'd'];
            others.Any(
                other =>
                    Count(
                        [.. first, .. Enumerable.Repeat(other, more)],
                        [.. first.Select(_ => -1.0), .. Enumerable.Repeat(0.0, more)]).Winner != vote.Winner)
                .ShouldBeTrue();
        }
    });

    [Fact]
    public void Nobody_wins_when_nobody_votes() => Count(['-', '-']).Winner.ShouldBeNull();

    [Fact]
    public void A_tie_goes_to_what_the_model_thought_more_probable() => Count(['a', 'b'], [-2, -1]).Winner.ShouldBe("B");

    private static Vote Count(char[] votes, double[]? logProbabilities = null)
    {
        var vote = new Vote();
        for (int i = 0; i < votes.Length; i++)
            vote.Add(votes[i] == '-' ? null : votes[i].ToString(), votes[i].ToString().ToUpperInvariant(), logProbabilities?[i] ?? -1);
        return vote;
    }
}
