using Distill.Generation;

namespace Distill.Teacher.Tests.Onnx;

/// <summary>Folders written by other exporters, against the logits and greedy tokens recorded beside them, with every backend.</summary>
public abstract class ReferenceFolderContract
{
    private protected abstract IEnumerable<string> Cases { get; }

    [Theory]
    [MemberData("Names")]
    public void Greedy_tokens_equal_the_reference_one_by_one_and_together(string name)
    {
        var reference = new ReferenceCase(name);
        using var model = Load(reference);
        double difference = LogitDifference(reference, model);
        GenerationRequest[] requests = [.. reference.Prompts.Select((_, i) => reference.Request(i))];
        foreach (int slots in (int[])[1, 5, 16])
        {
            var completions = new BatchGenerator(model, slots: slots).Complete(requests);
            for (int i = 0; i < requests.Length; i++)
            {
                int[] firm = reference.Firm(i, difference);
                completions[i][0].Tokens.Take(firm.Length).ShouldBe(firm, $"{name}, prompt {i}, {slots} slots");
                if (firm.Length == reference.Greedy[i].Length)
                    completions[i][0].Tokens.Count.ShouldBe(firm.Length, $"{name}, prompt {i}, {slots} slots");
            }
        }
    }

    [Theory]
    [MemberData("Names")]
    public void Greedy_tokens_carry_the_log_probabilities_of_the_reference(string name)
    {
        var reference = new ReferenceCase(name);
        using var model = Load(reference);
        double difference = LogitDifference(reference, model);
        var completions = new BatchGenerator(model, slots: 4).Complete([.. reference.Prompts.Select((_, i) => reference.Request(i))]);
        for (int i = 0; i < completions.Count; i++)
        {
            float[] expected = reference.Tensors.Floats($"greedy.logprobs.{i}");
            for (int t = 0; t < reference.Firm(i, difference).Length; t++)
                Math.Abs(completions[i][0].LogProbabilities[t] - expected[t])
                    .ShouldBeLessThanOrEqualTo((float)(2 * reference.Tolerance), $"{name}, prompt {i}, token {t}");
        }
    }

    [Theory]
    [MemberData("Names")]
    public void A_ragged_batch_equals_the_reference(string name)
    {
        var reference = new ReferenceCase(name);
        var batch = reference.Batch.ToList();
        Assert.SkipUnless(batch.Count > 0, "No batch was recorded: this kernel or head refuses a padded prefill.");
        using var model = Load(reference);
        double difference = LogitDifference(reference, model);
        var completions = new BatchGenerator(model, slots: batch.Count).Complete([.. batch.Select(row => reference.Request(row.Prompt))]);
        for (int i = 0; i < batch.Count; i++)
        {
            int firm = reference.Firm(batch[i].Prompt, difference).Length;
            completions[i][0].Tokens.Take(firm).ShouldBe(batch[i].Tokens.Take(firm), $"{name}, row {i}");
        }
    }

    [Theory]
    [MemberData("Names")]
    public void Logits_equal_the_reference_at_every_stored_position(string name)
    {
        var reference = new ReferenceCase(name);
        using var model = Load(reference);
        using var session = model.Open(1, model.MaxLength);
        int compared = 0;
        for (int i = 0; i < reference.Prompts.Length; i++)
        {
            float[] logits = reference.Logits(session, model, i);
            foreach (string stored in (string[])["ort.logits", "torch.logits"])
            {
                if (!reference.Tensors.Has($"{stored}.{i}")) continue;
                reference.Difference(logits, stored, i, model.VocabularySize)
                    .ShouldBeLessThanOrEqualTo(reference.Tolerance, $"{name}, {stored}.{i}");
                compared++;
            }
        }

        compared.ShouldBeGreaterThan(0);
    }

    [Theory]
    [MemberData("Names")]
    public void Given_tokens_score_as_in_the_reference(string name)
    {
        var reference = new ReferenceCase(name);
        Assert.SkipWhen(reference.LastOnly, "This graph gives no logits of the positions before the last.");
        using var model = Load(reference);
        var requests = reference.Prompts.Select((_, i) => reference.Request(i) with { MaxNewTokens = 0, ScorePrompt = true }).ToArray();
        var completions = new BatchGenerator(model, slots: 3).Complete(requests);
        using var scorer = new TokenScorer(model);
        for (int i = 0; i < requests.Length; i++)
        {
            ShouldBeNear(completions[i][0].Prompt!, i);
            ShouldBeNear(scorer.Score(reference.Prompts[i]), i);
        }

        void ShouldBeNear(TokenScores scores, int prompt)
        {
            float[] expected = reference.Tensors.Floats($"scores.{prompt}");
            scores.LogProbabilities.Count.ShouldBe(expected.Length);
            for (int t = 0; t < expected.Length; t++)
            {
                Math.Abs(scores.LogProbabilities[t] - expected[t])
                    .ShouldBeLessThanOrEqualTo(2 * reference.Tolerance, $"{name}, prompt {prompt}, token {t + 1}");
            }
        }
    }

    [Fact]
    public void A_graph_that_keeps_only_the_last_logits_cannot_score()
    {
        FixtureFolder.Require("genai");
        foreach (string name in Cases)
        {
            var reference = new ReferenceCase(name);
            using var model = Load(reference);
            TokenScorer.CanScore(model, model.MaxLength).ShouldBe(!reference.LastOnly, name);
        }
    }

    private protected abstract ITokenModel Load(ReferenceCase reference);

    private static double LogitDifference(ReferenceCase reference, ITokenModel model)
    {
        if (!reference.IsQuantized) return 0;
        using var session = model.Open(1, model.MaxLength);
        return Enumerable.Range(0, reference.Prompts.Length)
            .Max(i => reference.Difference(reference.Logits(session, model, i), "ort.logits", i, model.VocabularySize));
    }
}
