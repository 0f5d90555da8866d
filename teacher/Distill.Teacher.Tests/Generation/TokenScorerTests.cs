using System.Text.Json;
using Distill.Generation;
using Distill.Generation.Onnx;
using Distill.Generation.Testing;
using Distill.Teacher.Tests.Fixtures;

namespace Distill.Teacher.Tests.Generation;

/// <summary>Log-probabilities of given tokens, against recorded ones and against their definition.</summary>
public sealed class TokenScorerTests
{
    private const int Vocabulary = 11;

    public static TheoryData<string> Folders => FixtureFolder.Rows("genai",
        folder => File.Exists(Path.Combine(folder, "reference.safetensors")) && !folder.Contains("optimum", StringComparison.Ordinal)
            && !folder.Contains("tjs", StringComparison.Ordinal) && !folder.Contains("prune", StringComparison.Ordinal));

    // Quantized folders compute with int8 activations: equal on the machine that made them, else within what the rounding allows.
    [Theory, MemberData(nameof(Folders))]
    public void Scores_equal_the_recorded_ones(string name)
    {
        string folder = FixtureFolder.Require("genai", name);
        using var reference = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "reference.json")));
        var tensors = new SafeTensorFile(Path.Combine(folder, "reference.safetensors"));
        bool exact = reference.RootElement.GetProperty("precision").GetString() == "fp32";
        using var model = OnnxTokenModel.Load(folder, new OnnxModelOptions { IntraOpThreads = 1 });
        using var scorer = new TokenScorer(model);
        int[][] prompts = [.. reference.RootElement.GetProperty("prompts").EnumerateArray()
            .Select(prompt => prompt.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32()).ToArray())];
        for (int i = 0; i < prompts.Length; i++)
        {
            float[] expected = tensors.Has($"scores.{i}") ? tensors.Floats($"scores.{i}") : [];
            var scores = scorer.Score(prompts[i]).LogProbabilities;
            if (expected.Length == 0) continue;
            scores.Count.ShouldBe(expected.Length);
            for (int at = 0; at < expected.Length; at++) scores[at].ShouldBe(expected[at], exact ? 2e-4 : 1.0, $"{name}, prompt {i}, token {at + 1}");
            double mean = scores.Average(), recorded = expected.Average();
            mean.ShouldBe(recorded, exact ? 1e-4 : 0.2, $"{name}, prompt {i}");
        }
    }

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
            new GenerationRequest { Prompt = tokens, MaxNewTokens = 0, ScorePrompt = true, Seeds = [0] }, TestContext.Current.CancellationToken);
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
    public void Logits_that_are_not_finite_are_a_fault()
    {
        using var model = new ScriptedTokenModel(Vocabulary, 64, (_, logits) => logits.Fill(float.NaN));
        using var scorer = new TokenScorer(model);
        Should.Throw<InvalidDataException>(() => scorer.Score([1, 2])).Message.ShouldContain("not finite");
    }

    [Fact]
    public void A_graph_that_keeps_only_the_last_logits_cannot_score()
    {
        string folder = FixtureFolder.Require("genai", "llama-prune-head");
        using var model = OnnxTokenModel.Load(folder, new OnnxModelOptions { IntraOpThreads = 1 });
        TokenScorer.CanScore(model, model.MaxLength).ShouldBeFalse();
        using var scripted = new ScriptedTokenModel(Vocabulary, 64, Script);
        TokenScorer.CanScore(scripted, 64).ShouldBeTrue();
    }

    private static void Script(ReadOnlySpan<int> sequence, Span<float> logits)
    {
        int sum = 0;
        foreach (int token in sequence) sum = ((sum * 3) + token + 1) % 1009;
        for (int id = 0; id < logits.Length; id++) logits[id] = (float)Math.Sin((sum * 0.37) + (id * 1.7)) * 4;
    }
}
