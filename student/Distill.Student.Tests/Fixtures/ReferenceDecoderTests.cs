using System.Text.Json;
using Distill.Student.Model;
using static TorchSharp.torch;

namespace Distill.Student.Tests.Fixtures;

/// <summary>The reference decoder against transformers, every family and every form of storage.</summary>
public sealed class ReferenceDecoderTests(ITestOutputHelper output)
{
    public static TheoryData<string> Families => ReferenceCase.With("reference.json");

    public static TheoryData<string> All => ReferenceCase.With("reference.safetensors");

    // The references of these two were made by a model whose rotary frequencies had been rounded along with its weights.
    private static double Tolerance(string name) => name is "storage-fp16" or "storage-bf16-sharded" ? 2e-3 : 1e-4;

    [Theory, MemberData(nameof(All))]
    public void Logits_are_those_of_transformers(string name)
    {
        var reference = ReferenceCase.Open(name);
        using var parameters = reference.Parameters();
        using var decoder = new TorchDecoder(parameters, differentiable: false);
        using var scope = NewDisposeScope();
        using var without = no_grad();
        Compare(name, "logits", decoder.Forward(Ids(reference)), reference.Singles("logits"));
    }

    [Theory, MemberData(nameof(Families))]
    public void Hidden_states_are_those_of_transformers(string name)
    {
        var reference = ReferenceCase.Open(name);
        using var parameters = reference.Parameters();
        using var decoder = new TorchDecoder(parameters, differentiable: false);
        using var scope = NewDisposeScope();
        using var without = no_grad();
        var states = decoder.HiddenStates(Ids(reference));
        states.Count.ShouldBe(decoder.Architecture.Layers + 1);
        for (int i = 0; i < states.Count; i++) Compare(name, $"hidden.{i}", states[i], reference.Singles($"hidden.{i}"));
    }

    [Theory, MemberData(nameof(Families))]
    public void Greedy_tokens_are_those_of_transformers(string name)
    {
        var reference = ReferenceCase.Open(name, "reference.json");
        using var parameters = reference.Parameters();
        using var decoder = new TorchDecoder(parameters, differentiable: false);
        int compared = 0;
        foreach (var run in reference.Values.GetProperty("greedy").EnumerateArray())
        {
            long[] prompt = Numbers(run.GetProperty("prompt")), expected = Numbers(run.GetProperty("greedy"));
            compared++;
            // Where the reference itself nearly chose another token, so may any other computation.
            if (run.GetProperty("minMargin").GetDouble() < 1e-4 * reference.Number("maxAbsLogit")) continue;
            Greedy(decoder, prompt, expected).ShouldBe(expected);
        }

        compared.ShouldBeGreaterThan(0);
    }

    private void Compare(string name, string what, Tensor actual, float[] expected)
    {
        float[] values = [.. actual.contiguous().data<float>()];
        values.Length.ShouldBe(expected.Length);
        double largest = expected.Max(MathF.Abs), difference = expected.Zip(values, (a, b) => (double)MathF.Abs(a - b)).Max();
        output.WriteLine($"{what}: {difference / largest:E1} of the largest");
        (difference / largest).ShouldBeLessThan(Tolerance(name), what);
    }

    // One run over the prompt and what is expected: no token sees a later one, so the likeliest token at each place is what greedy
    // generation takes there, if it took the expected ones before.
    private static long[] Greedy(TorchDecoder decoder, long[] prompt, long[] expected)
    {
        using var scope = NewDisposeScope();
        using var without = no_grad();
        long[] ids = [.. prompt, .. expected[..^1]];
        var likeliest = decoder.Forward(tensor(ids).unsqueeze(0))[0].argmax(-1); // [time]
        return [.. likeliest.data<long>().Skip(prompt.Length - 1)];
    }

    private static Tensor Ids(ReferenceCase reference) => tensor(reference.Ids).view(reference.Rows, reference.Time);

    private static long[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(element => element.GetInt64())];
}
