using System.Text.Json;
using Distill.Architecture;
using Distill.Export.Tests.Support;

namespace Distill.Export.Tests.Graph;

/// <summary>Hugging Face checkpoints through our graph: what transformers computes.</summary>
public sealed class FamilyLogitsTests
{
    private const double Tolerance = 1e-4;

    // The references of these two were made by a model whose rotary frequencies had been rounded along with its weights.
    private const double RoundedTolerance = 2e-3;

    public static TheoryData<string> Supported => FixtureFolder.Rows("hf", Opens);

    [Theory, MemberData(nameof(Supported))]
    public void Logits_are_those_of_the_reference(string family)
    {
        string folder = FixtureFolder.Require("hf", family);
        var weights = Checkpoint.Open(folder).LoadWeights();
        using var reference = SafeTensorsFile.Open(Path.Combine(folder, "reference.safetensors"));
        using var session = OnnxRun.Open(new DecoderGraph(weights.Architecture).ToBytes(weights));
        long[] ids = reference.ReadIntegers("input_ids");
        float[] logits = OnnxRun.Logits(session, weights.Architecture, ids, (int)reference.Entry("input_ids").Shape[0]);
        OnnxRun.RelativeDifference(logits, reference.ReadSingles("logits")).ShouldBeLessThan(family is "storage-fp16" or "storage-bf16-sharded" ? RoundedTolerance : Tolerance);
    }

    [Theory, MemberData(nameof(Supported))]
    public void Greedy_tokens_through_the_cache_are_those_of_the_reference(string family)
    {
        string json = FixtureFolder.RequireFile("hf", family, "reference.json"), folder = Path.GetDirectoryName(json)!;
        var weights = Checkpoint.Open(folder).LoadWeights();
        var a = weights.Architecture;
        using var session = OnnxRun.Open(new DecoderGraph(a).ToBytes(weights));
        using var document = JsonDocument.Parse(File.ReadAllBytes(json));
        foreach (var run in document.RootElement.GetProperty("greedy").EnumerateArray())
        {
            long[] prompt = Numbers(run.GetProperty("prompt")), expected = Numbers(run.GetProperty("greedy"));
            Greedy(session, a, prompt, expected.Length).ShouldBe(expected);
        }
    }

    [Theory]
    [InlineData("llama"), InlineData("llama-mha"), InlineData("qwen2"), InlineData("qwen3"), InlineData("qwen3-untied")]
    [InlineData("storage-fp16"), InlineData("storage-bf16-sharded"), InlineData("storage-fp32-sharded")]
    public void The_supported_families_are_among_those_compared(string family) => Opens(FixtureFolder.Require("hf", family)).ShouldBeTrue();

    private static bool Opens(string folder)
    {
        try
        {
            Checkpoint.Open(folder);
            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private static long[] Greedy(Microsoft.ML.OnnxRuntime.InferenceSession session, DecoderArchitecture a, long[] prompt, int count)
    {
        var state = new Dictionary<string, float[]>();
        var tokens = new List<long>();
        for (long[] next = prompt; tokens.Count < count; next = [tokens[^1]])
        {
            float[] logits = OnnxRun.Step(session, a, next, 1, state)[^a.VocabularySize..];
            tokens.Add(Array.IndexOf(logits, logits.Max()));
        }

        return [.. tokens];
    }

    private static long[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(element => element.GetInt64())];
}
