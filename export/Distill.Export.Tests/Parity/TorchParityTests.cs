using Distill.Architecture;
using Distill.Export.Parity;
using Distill.Export.Tests.Support;
using Distill.Generation.Onnx;
using Distill.Student.Model;

namespace Distill.Export.Tests.Parity;

/// <summary>The gate as the pipeline runs it: TorchSharp without a cache against the exported model with one.</summary>
public sealed class TorchParityTests
{
    public static TheoryData<string> Families => [.. TinyModels.Families];

    [Theory, MemberData(nameof(Families))]
    public void Torch_and_the_export_agree(string family)
    {
        var weights = TinyModels.Weights(TinyModels.Family(family));
        var report = Gate(weights, weights);
        report.Passed.ShouldBeTrue(report.ToString());
        report.GreedyTokensCompared.ShouldBe(9 * 30);
    }

    [Fact]
    public void A_tampered_weight_fails_against_torch()
    {
        var weights = TinyModels.Weights(TinyModels.Qwen3);
        var values = ParameterMap.For(TinyModels.Qwen3).ToDictionary(p => p.Name, p => weights[p.Name].ToArray());
        values["model.layers.1.self_attn.k_norm.weight"][2] += 0.1f;
        Gate(weights, new WeightSet(TinyModels.Qwen3, values)).Passed.ShouldBeFalse();
    }

    [Fact]
    public void The_policy_server_serves_the_weights_of_its_moment()
    {
        var a = TinyModels.Qwen3;
        using var server = new OnnxPolicyServer(a, new OnnxModelOptions { IntraOpThreads = 1 });
        using var parameters = new FlatParameters(a);
        parameters.Load(TinyModels.Weights(a, 1));
        using var first = server.Serve(parameters);
        parameters.Load(TinyModels.Weights(a, 2));
        using var second = server.Serve(parameters);
        using var one = new TorchReferenceModel(TinyModels.Weights(a, 1));
        using var two = new TorchReferenceModel(TinyModels.Weights(a, 2));
        new ParityGate(one, first).Run(Inputs(a), ParityTolerance.Exact).Passed.ShouldBeTrue();
        new ParityGate(two, second).Run(Inputs(a), ParityTolerance.Exact).Passed.ShouldBeTrue();
        new ParityGate(one, second).Run(Inputs(a), ParityTolerance.Exact).Passed.ShouldBeFalse();
    }

    private static ParityReport Gate(WeightSet trained, WeightSet exported)
    {
        using var reference = new TorchReferenceModel(trained);
        using var model = OnnxTokenModel.FromBytes(new DecoderGraph(exported.Architecture).ToBytes(exported),
            exported.Architecture.MaxPositions, new OnnxModelOptions { IntraOpThreads = 1 });
        return new ParityGate(reference, model).Run(Inputs(trained.Architecture), ParityTolerance.Exact);
    }

    internal static ParityInputs Inputs(DecoderArchitecture a)
    {
        var random = new Random(4);
        int[] Ids(int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(a.VocabularySize))];
        return new() { Sequences = [Ids(40), Ids(7)], Prompts = [.. Enumerable.Range(1, 9).Select(i => Ids(i * 3))], MaxNewTokens = 30,
            Slots = 4 };
    }
}
