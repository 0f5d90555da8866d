using Distill.Architecture;
using Distill.Export.Parity;
using Distill.Export.Tests.Support;
using Distill.Generation.Onnx;

namespace Distill.Export.Tests.Parity;

public sealed class QualityMeasureTests
{
    private static readonly DecoderArchitecture A = TinyModels.Qwen3;

    [Fact]
    public void Figures_are_those_of_their_definitions()
    {
        var random = new Random(3);
        const int Vocabulary = 2500; // more than a block, and no multiple of it
        int[] tokens = [.. Enumerable.Range(0, 40).Select(_ => random.Next(Vocabulary))];
        float[] given = Numbers(random, tokens.Length * Vocabulary), expected = Numbers(random, tokens.Length * Vocabulary);
        var measure = new QualityMeasure();
        measure.Add(tokens.AsSpan(0, 15), given.AsSpan(0, 15 * Vocabulary), expected.AsSpan(0, 15 * Vocabulary));
        measure.Add(tokens.AsSpan(15), given.AsSpan(15 * Vocabulary), expected.AsSpan(15 * Vocabulary));
        var report = measure.Report();

        var rows = tokens.Select((token, i) => (token, P: Softmax(expected, i, Vocabulary), Q: Softmax(given, i, Vocabulary))).ToList();
        double[] divergences = [.. rows.Select(row => row.P.Zip(row.Q, (p, q) => p * Math.Log(p / q)).Sum()).Order()];
        report.Tokens.ShouldBe(40);
        report.Texts.ShouldBe(2);
        report.Perplexity.ShouldBe(Math.Exp(rows.Average(row => -Math.Log(row.Q[row.token]))), 1e-6 * report.Perplexity);
        report.ReferencePerplexity.ShouldBe(Math.Exp(rows.Average(row => -Math.Log(row.P[row.token]))), 1e-6 * report.Perplexity);
        report.PerplexityRatio.ShouldBe(report.Perplexity / report.ReferencePerplexity, 1e-9);
        report.MeanDivergence.ShouldBe(divergences.Average(), 1e-9);
        report.Divergence99.ShouldBe(divergences[^1], 1e-9);
        report.TopAgreement.ShouldBe(rows.Average(row => Best(row.P) == Best(row.Q) ? 1.0 : 0), 1e-12);
        report.PerplexityRatio.ShouldBeInRange(report.PerplexityRatioInterval95.Low, report.PerplexityRatioInterval95.High);
    }

    [Fact]
    public void A_model_loses_nothing_against_itself_and_a_prompt_is_not_measured()
    {
        using var model = Model(TinyModels.Weights(A));
        using var reference = new TorchReferenceModel(TinyModels.Weights(A));
        var report = QualityMeasure.Run(reference, model, [new(Ids(30, 1), 12), new(Ids(20, 2))]);
        report.Tokens.ShouldBe(30 - 12 + 19);
        report.PerplexityRatio.ShouldBe(1, 1e-5);
        report.MeanDivergence.ShouldBeLessThan(1e-8);
        report.TopAgreement.ShouldBe(1);
    }

    // An answer and a solution to one problem do not count as two draws.
    [Fact]
    public void The_interval_is_over_problems_and_not_over_their_texts()
    {
        using var model = Model(TinyModels.Weights(A, seed: 7));
        using var reference = new TorchReferenceModel(TinyModels.Weights(A));
        MeasuredText[] texts = [new(Ids(40, 1)) { Group = 0 }, new(Ids(40, 2)) { Group = 0 }];
        var one = QualityMeasure.Run(reference, model, texts);
        one.Texts.ShouldBe(2);
        one.PerplexityRatioInterval95.Low.ShouldBe(one.PerplexityRatioInterval95.High);
        var two = QualityMeasure.Run(reference, model, [.. texts.Select(text => text with { Group = null })]);
        two.PerplexityRatio.ShouldBe(one.PerplexityRatio, 1e-12);
        two.PerplexityRatioInterval95.Low.ShouldBeLessThan(two.PerplexityRatioInterval95.High);
    }

    [Fact]
    public void A_text_is_no_longer_than_the_gate_reads_and_has_something_of_both_parts()
    {
        int[] prompt = Ids(900, 1), reply = Ids(900, 2);
        var text = MeasuredText.Of(prompt, reply, 8192);
        text.First.ShouldBe(256);
        text.Tokens.ShouldBe([.. prompt[^256..], .. reply[..256]]);
        MeasuredText.Of(prompt, reply[..10], 8192).First.ShouldBe(502);
        MeasuredText.Of(prompt[..20], reply[..10], 8192).Tokens.ShouldBe([.. prompt[..20], .. reply[..10]]);
    }

    [Fact]
    public void Too_few_solved_problems_decide_nothing_and_it_is_said()
    {
        var five = new TaskAccuracy(50, 0.1, 0, 5, 0, -0.1, new(-0.2, -0.06), 0.0625);
        QualityLimits.Int8.Missed(five).ShouldBeEmpty();
        QualityLimits.Int8.Missed(five with { Model = 0.5, OnlyModel = 25 }).ShouldHaveSingleItem();
        var report = new ParityReport(0, 1, 1, 1, 0, 0, ParityTolerance.Exact, true) { Accuracy = five };
        ParityRows.Of(report).Single(row => row.Name == "problems solved").ShouldSatisfyAllConditions(
            row => row.Measured.ShouldStartWith("not tested: too few solved"), row => row.Passed.ShouldBeNull());
    }

    [Fact]
    public void Another_model_loses_much()
    {
        using var model = Model(TinyModels.Weights(A, seed: 7));
        using var reference = new TorchReferenceModel(TinyModels.Weights(A));
        var report = QualityMeasure.Run(reference, model, [new(Ids(40, 1)), new(Ids(40, 2))]);
        report.MeanDivergence.ShouldBeGreaterThan(0.5);
        report.TopAgreement.ShouldBeLessThan(0.5);
    }

    [Fact]
    public void Logits_that_are_no_numbers_give_figures_that_can_be_written()
    {
        float[] given = [1, float.NaN, 0, 1, 2, 3], expected = [1, 2, 3, 1, 2, 3];
        var measure = new QualityMeasure();
        measure.Add([0, 1], given, expected);
        var report = measure.Report();
        (report.PerplexityRatio, report.MeanDivergence, report.Divergence99)
            .ShouldBe((double.MaxValue, double.MaxValue, double.MaxValue));
        report.TopAgreement.ShouldBe(0.5);
        System.Text.Json.JsonSerializer.Serialize(report).ShouldContain("PerplexityRatio");
    }

    private static OnnxTokenModel Model(WeightSet weights) =>
        OnnxTokenModel.FromBytes(new DecoderGraph(weights.Architecture).ToBytes(weights), weights.Architecture.MaxPositions,
            new OnnxModelOptions { IntraOpThreads = 1 });

    private static double[] Softmax(float[] logits, int row, int vocabulary)
    {
        double[] values = [.. logits.AsSpan(row * vocabulary, vocabulary).ToArray().Select(logit => Math.Exp(logit))];
        double sum = values.Sum();
        return [.. values.Select(value => value / sum)];
    }

    private static int Best(double[] values) => Array.IndexOf(values, values.Max());

    private static float[] Numbers(Random random, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() * 6))];

    private static int[] Ids(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(A.VocabularySize))];
    }
}
