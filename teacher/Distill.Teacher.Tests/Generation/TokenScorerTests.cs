using Distill.Generation;
using Distill.Teacher.Tests.Fixtures;

namespace Distill.Teacher.Tests.Generation;

/// <summary>Log-probabilities of given tokens, against their definition; against recorded ones in the tests of reference folders.</summary>
public sealed class TokenScorerTests
{
    private const int Vocabulary = 11;

    [Fact]
    public void A_long_text_read_in_parts_scores_by_its_definition()
    {
        // 1,200 tokens are three parts of 512; the logits depend on the whole sequence, so a wrong border shows.
        using var model = new ScriptedTokenModel(Vocabulary, 2048, Script);
        using var scorer = new TokenScorer(model, 1200);
        int[] tokens = [.. Enumerable.Range(0, 1200).Select(i => i * 7 % Vocabulary)];
        var scores = scorer.Score(tokens, top: 3);
        model.Sessions[0].Prefills.ShouldBe(3);
        float[] logits = new float[Vocabulary];
        for (int at = 1; at < tokens.Length; at++)
        {
            Script(tokens.AsSpan(0, at), logits);
            double normalizer = Math.Log(logits.Sum(value => Math.Exp(value)));
            scores.LogProbabilities[at - 1].ShouldBe(logits[tokens[at]] - normalizer, 1e-12);
            int[] best = [.. Enumerable.Range(0, Vocabulary).OrderByDescending(id => logits[id]).Take(3)];
            scores.Top!.Ids.Skip((at - 1) * 3).Take(3).ShouldBe(best);
            scores.Top.LogProbabilities[(at - 1) * 3].ShouldBe((float)(logits[best[0]] - normalizer), 1e-6f);
        }

        scorer.Score(tokens).LogProbabilities.ShouldBe(scores.LogProbabilities); // nothing of the text before is left
    }

    [Fact]
    public async Task The_engine_scores_a_prompt_alike()
    {
        using var model = new ScriptedTokenModel(Vocabulary, 2048, Script);
        using var scorer = new TokenScorer(model);
        using var engine = new GenerationEngine(model);
        int[] tokens = [.. Enumerable.Range(0, 700).Select(i => i * 5 % Vocabulary)];
        var completion = await engine.CompleteAsync(
            new GenerationRequest { Prompt = tokens, MaxNewTokens = 0, ScorePrompt = true, TopLogProbabilities = 2, Seeds = [0] },
            TestContext.Current.CancellationToken);
        var scores = scorer.Score(tokens, 2);
        completion[0].Prompt!.Top!.Ids.ShouldBe(scores.Top!.Ids);
        var alone = await engine.CompleteAsync(
            new GenerationRequest { Prompt = tokens, MaxNewTokens = 0, ScorePrompt = true, Seeds = [0] },
            TestContext.Current.CancellationToken);
        alone[0].Prompt!.LogProbabilities.ShouldBe(completion[0].Prompt!.LogProbabilities);
        alone[0].Prompt!.Top.ShouldBeNull();
        completion[0].Prompt!.LogProbabilities.ShouldBe(scores.LogProbabilities);
    }

    [Fact]
    public void One_token_has_nothing_before_it_and_too_many_are_refused()
    {
        using var model = new ScriptedTokenModel(Vocabulary, 64, Script);
        using var scorer = new TokenScorer(model, 4);
        scorer.Score([3]).LogProbabilities.ShouldBeEmpty();
        Should.Throw<ArgumentException>(() => scorer.Score([])).Message.ShouldContain("no token");
        Should.Throw<ArgumentException>(() => scorer.Score([1, 2, 3, 4, 5])).Message.ShouldContain("more than the 4");
        Should.Throw<ArgumentException>(() => scorer.Score([1, Vocabulary])).Message.ShouldContain("outside the vocabulary");
        Should.Throw<OperationCanceledException>(() => scorer.Score([1, 2], 0, new CancellationToken(canceled: true)));
        scorer.Score([1, 2]).LogProbabilities.Count.ShouldBe(1);
    }

    [Fact]
    public void Completions_of_one_prompt_are_scored_as_alone_and_the_prompt_is_read_once()
    {
        using var model = new ScriptedTokenModel(Vocabulary, 2048, Script);
        using TokenScorer scorer = new(model, 900), alone = new(model, 900);
        int[] prompt = [3, 1, 4, 1, 5, 9, 2];
        int[][] completions = [[6, 5, 3], [5], [.. Enumerable.Range(0, 600).Select(i => i * 7 % Vocabulary)], [6, 5, 3]];
        var scores = scorer.Score(prompt, completions, top: 3);
        model.Sessions[0].Prefills.ShouldBe(1 + 1 + 1 + 2 + 1); // the prompt, and each completion in parts of 512
        for (int i = 0; i < completions.Length; i++)
        {
            var whole = alone.Score([.. prompt, .. completions[i]], top: 3);
            scores[i].LogProbabilities.ShouldBe(whole.LogProbabilities.Skip(prompt.Length - 1));
            scores[i].Top!.Ids.ShouldBe(whole.Top!.Ids.Skip((prompt.Length - 1) * 3));
            scores[i].Top!.LogProbabilities.ShouldBe(whole.Top!.LogProbabilities.Skip((prompt.Length - 1) * 3));
        }

        scorer.Score([7], [[6, 5]])[0].LogProbabilities.ShouldBe(alone.Score([7, 6, 5]).LogProbabilities);
        Should.Throw<ArgumentException>(() => scorer.Score(prompt, [[1], [Vocabulary]])).Message.ShouldContain("outside the vocabulary");
    }

    [Fact]
    public void Every_token_of_a_distribution_can_be_named_best_first_and_ties_by_id()
    {
        float[] scores = [.. Enumerable.Range(0, 500).Select(id => id % 7 == 0 ? -0f : (float)Math.Sin(id * 0.7) * (id % 5 - 2))];
        var best = new TopTokens();
        int[] sorted = [.. Enumerable.Range(0, 500).OrderByDescending(id => scores[id])]; // stable
        foreach (int k in (int[])[1, 16, 128, 129, 500, 900]) // few are inserted, many sorted
            best.Ids(best.Select(scores, k)).ToArray().ShouldBe(sorted.Take(k));
    }

    [Fact]
    public void Logits_that_are_not_finite_are_a_fault()
    {
        using var model = new ScriptedTokenModel(Vocabulary, 64, (_, logits) => logits.Fill(float.NaN));
        using var scorer = new TokenScorer(model);
        Should.Throw<InvalidDataException>(() => scorer.Score([1, 2])).Message.ShouldContain("not finite");
    }

    [Fact]
    public void A_model_that_gives_the_logits_of_every_position_can_score()
    {
        using var model = new ScriptedTokenModel(Vocabulary, 64, Script);
        TokenScorer.CanScore(model, 64).ShouldBeTrue();
    }

    private static void Script(ReadOnlySpan<int> sequence, Span<float> logits)
    {
        int sum = 0;
        foreach (int token in sequence) sum = ((sum * 3) + token + 1) % 1009;
        for (int id = 0; id < logits.Length; id++) logits[id] = (float)Math.Sin((sum * 0.37) + (id * 1.7)) * 4;
    }
}
