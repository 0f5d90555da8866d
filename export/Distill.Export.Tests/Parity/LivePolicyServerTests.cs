using Distill.Export.Parity;
using Distill.Export.Tests.Support;
using Distill.Generation;
using Distill.Generation.Onnx;
using Distill.Student.Model;

namespace Distill.Export.Tests.Parity;

/// <summary>One open session whose weights change, against sessions opened anew.</summary>
public sealed class LivePolicyServerTests
{
    private static readonly OnnxModelOptions Options = new() { IntraOpThreads = 2 }; // of which the live server takes one

    public static TheoryData<string> Families => [.. TinyModels.Families];

    // Changing every tensor by itself shows that none was packed, folded or copied when the session was opened.
    [Theory, MemberData(nameof(Families))]
    public void Every_weight_is_read_anew(string family)
    {
        var a = TinyModels.Family(family);
        using var server = new LivePolicyServer(a, Options);
        using var fresh = new OnnxPolicyServer(a, Options);
        using var parameters = new FlatParameters(a);
        parameters.Load(TinyModels.Weights(a));
        float[] before = Logits(server, parameters);
        before.ShouldBeCloseTo(Logits(fresh, parameters));
        foreach (var (name, _, _) in parameters.Places)
        {
            foreach (ref float value in parameters.SpanOf(name)) value = value * 1.5f + 0.01f;
            float[] after = Logits(server, parameters);
            after.ShouldBeCloseTo(Logits(fresh, parameters), name);
            if (!name.EndsWith("k_proj.bias", StringComparison.Ordinal)) // shifts all scores of a query alike, but for its rotation
                after.Zip(before, (x, y) => Math.Abs(x - y)).Max().ShouldBeGreaterThan(1e-6f, name);
            before = after;
        }
    }

    [Theory, MemberData(nameof(Families))]
    public void Torch_and_what_is_served_agree_after_a_change_of_all_weights(string family)
    {
        var a = TinyModels.Family(family);
        using var server = new LivePolicyServer(a, Options);
        using var parameters = new FlatParameters(a);
        foreach (int seed in (int[])[1, 2])
        {
            parameters.Load(TinyModels.Weights(a, seed));
            using var served = server.Serve(parameters);
            using var reference = new TorchReferenceModel(TinyModels.Weights(a, seed));
            new ParityGate(reference, served).Run(TorchParityTests.Inputs(a), ParityTolerance.Exact).Passed.ShouldBeTrue();
        }
    }

    [Fact]
    public void Later_changes_of_the_parameters_do_not_reach_what_was_served()
    {
        var a = TinyModels.Qwen3;
        using var server = new LivePolicyServer(a, Options);
        using var parameters = new FlatParameters(a);
        parameters.Load(TinyModels.Weights(a));
        using var served = server.Serve(parameters);
        float[] before = Logits(served);
        parameters.Span.Clear();
        Logits(served).ShouldBe(before);
    }

    // Otherwise what is sampled would depend on which row happens to end first.
    [Theory, MemberData(nameof(Families))]
    public void A_row_gives_the_same_bits_alone_and_beside_others(string family)
    {
        var a = TinyModels.Family(family);
        using var server = new LivePolicyServer(a, Options);
        using var parameters = new FlatParameters(a);
        parameters.Load(TinyModels.Weights(a));
        using var model = server.Serve(parameters);
        using var session = model.Open(16, 12);
        int[][] prompts = [.. Enumerable.Range(0, 16).Select(slot => Enumerable.Range(slot, 2 + slot % 5).ToArray())];
        float[] prompt = new float[model.VocabularySize], together = new float[16 * model.VocabularySize],
            alone = new float[model.VocabularySize];
        for (int slot = 0; slot < 16; slot++) session.Prefill(slot, prompts[slot], prompt);
        session.Step([.. Enumerable.Range(5, 16)], together);
        session.Length(3).ShouldBe(prompts[3].Length + 1);
        for (int slot = 0; slot < 16; slot++)
        {
            using var single = model.Open(1, 12);
            single.Prefill(0, prompts[slot], prompt);
            single.Step([5 + slot], alone);
            alone.ShouldBe(together[(slot * model.VocabularySize)..((slot + 1) * model.VocabularySize)]);
        }
    }

    [Fact]
    public void A_policy_in_use_is_not_overwritten()
    {
        using var server = new LivePolicyServer(TinyModels.Qwen3, Options);
        using var parameters = new FlatParameters(TinyModels.Qwen3);
        using (server.Serve(parameters))
            Should.Throw<InvalidOperationException>(() => server.Serve(parameters)).Message.ShouldContain("still in use");
        server.Serve(parameters).Dispose();
    }

    private static float[] Logits(Student.Reinforcement.IPolicyServer server, FlatParameters parameters)
    {
        using var model = server.Serve(parameters);
        return Logits(model);
    }

    private static float[] Logits(ITokenModel model)
    {
        using var session = model.Open(1, 16);
        float[] logits = new float[5 * model.VocabularySize];
        session.Prefill(0, [3, 1, 4, 1, 5], logits);
        return logits;
    }
}

file static class LogitAssertions
{
    public static void ShouldBeCloseTo(this float[] actual, float[] expected, string? because = null)
    {
        float scale = expected.Max(Math.Abs);
        actual.Zip(expected, (x, y) => Math.Abs(x - y)).Max().ShouldBeLessThan(1e-5f * scale, because);
    }
}
