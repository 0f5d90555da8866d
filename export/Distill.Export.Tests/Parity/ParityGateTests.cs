using System.Text.Json;
using Distill.Architecture;
using Distill.Export.Package;
using Distill.Export.Parity;
using Distill.Export.Tests.Support;
using Distill.Generation.Onnx;

namespace Distill.Export.Tests.Parity;

public sealed class ParityGateTests
{
    private static readonly DecoderArchitecture A = TinyModels.Qwen3;
    private static readonly ParityInputs Inputs = new()
    {
        Sequences = [Ids(20, 1), Ids(33, 2), Ids(1, 3)],
        Prompts = [.. Enumerable.Range(0, 11).Select(i => Ids(1 + (i * 3), 10 + i))],
        MaxNewTokens = 25,
        Slots = 4,
    };

    [Fact]
    public void An_export_of_the_same_weights_passes_to_the_last_digits()
    {
        var report = Run(TinyModels.Weights(A));
        report.Passed.ShouldBeTrue();
        report.MaxAbsLogitDiff.ShouldBeLessThan(1e-5 * report.MaxAbsLogit);
        (report.GreedyMismatches, report.GreedyTokensCompared).ShouldBe((0, 11 * 25));
        report.PositionsCompared.ShouldBe(20 + 33 + 1 + (11 * 25));
        report.MaxCacheDiff!.Value.ShouldBeLessThan(1e-5 * report.MaxAbsLogit);
        report.MaxBatchDiff!.Value.ShouldBeLessThan(1e-5 * report.MaxAbsLogit);
        report.Refusals.ShouldBeEmpty();
    }

    [Fact]
    public void One_tampered_value_in_any_weight_fails()
    {
        foreach (var parameter in ParameterMap.For(A))
        {
            var report = Run(Tampered(parameter.Name, (int)parameter.Count / 2, value => value + 0.25f), Inputs with { Prompts = [] });
            report.Passed.ShouldBeFalse(parameter.Name);
        }
    }

    [Fact]
    public void A_weight_that_changes_the_choice_shows_as_mismatches()
    {
        var report = Run(TinyModels.Weights(A, seed: 9), tolerance: new ParityTolerance(10, 0));
        report.GreedyMismatches.ShouldBeGreaterThan(0);
        report.Passed.ShouldBeFalse();
        report.Refusals.ShouldHaveSingleItem().ShouldContain("greedy tokens are not the model's choice");
    }

    [Fact]
    public void A_weight_that_is_not_a_number_fails_with_a_finite_figure()
    {
        var report = Run(Tampered(ParameterMap.FinalNorm, 3, _ => float.NaN));
        report.Passed.ShouldBeFalse();
        report.MaxAbsLogitDiff.ShouldBe(double.MaxValue);
    }

    // Whoever asks why the gate failed reads the figures, so a report must be writable whatever it says.
    [Fact]
    public void A_failed_report_is_written_and_read_as_it_is()
    {
        foreach (var weights in new[] { Tampered(ParameterMap.FinalNorm, 3, _ => float.NaN), TinyModels.Weights(A, seed: 9) })
        {
            var report = Run(weights);
            report.Passed.ShouldBeFalse();
            string json = JsonSerializer.Serialize(report);
            JsonSerializer.Serialize(JsonSerializer.Deserialize<ParityReport>(json)).ShouldBe(json);
            using var folder = new TemporaryFolder();
            var description = new PackageDescription { Name = "tiny", Parity = report };
            ModelPackage.Write(folder.Path, TinyModels.Weights(A), TinyModels.Tokenizer(A.VocabularySize), description);
            File.ReadAllText(folder.File("README.md")).ShouldContain("Gate: failed");
            File.ReadAllText(folder.File("distill.json")).ShouldContain("\"passed\": false");
        }
    }

    [Fact]
    public void A_gate_without_anything_to_compare_does_not_pass() =>
        Run(TinyModels.Weights(A), Inputs with { Prompts = [], Sequences = [] }).Passed.ShouldBeFalse();

    [Fact]
    public void Decoding_ends_at_a_stop_token_which_is_compared_too()
    {
        int[] stop = [.. Enumerable.Range(0, A.VocabularySize)];
        Run(TinyModels.Weights(A), Inputs with { StopTokens = stop }).GreedyTokensCompared.ShouldBe(11);
    }

    [Fact]
    public void A_reference_with_another_vocabulary_is_refused()
    {
        var other = A with { VocabularySize = 51 };
        using var reference = Model(TinyModels.Weights(other));
        using var exported = Model(TinyModels.Weights(A));
        Should.Throw<InvalidDataException>(() => new ParityGate(new TokenModelReference(reference), exported)).Message.ShouldContain("51");
    }

    [Fact]
    public void A_prompt_longer_than_the_context_is_the_callers_fault() =>
        Should.Throw<ArgumentException>(() => Run(TinyModels.Weights(A), Inputs with { Prompts = [Ids(A.MaxPositions, 1)] }));

    private static ParityReport Run(WeightSet exportedWeights, ParityInputs? inputs = null, ParityTolerance? tolerance = null)
    {
        using var reference = Model(TinyModels.Weights(A));
        using var exported = Model(exportedWeights);
        return new ParityGate(new TokenModelReference(reference), exported).Run(inputs ?? Inputs, tolerance ?? ParityTolerance.Exact);
    }

    private static OnnxTokenModel Model(WeightSet weights) =>
        OnnxTokenModel.FromBytes(new DecoderGraph(weights.Architecture).ToBytes(weights), weights.Architecture.MaxPositions,
            new OnnxModelOptions { IntraOpThreads = 1 });

    private static WeightSet Tampered(string name, int index, Func<float, float> change)
    {
        var weights = TinyModels.Weights(A);
        var values = ParameterMap.For(A).ToDictionary(p => p.Name, p => weights[p.Name].ToArray());
        values[name][index] = change(values[name][index]);
        return new(A, values);
    }

    private static int[] Ids(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(A.VocabularySize))];
    }
}
