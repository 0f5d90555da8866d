using System.Text.Json;
using Distill.Architecture;
using Distill.Generation;
using Distill.Generation.Onnx;

namespace Distill.Export.Tests.Graph;

/// <summary>
/// A real model of 135 million parameters through our graph and our engine: the tokens and logits of transformers in fp32.
/// </summary>
public sealed class RealModelTests
{
    private const double LogitTolerance = 1e-3; // absolute, as its README states

    [Fact]
    public void Greedy_tokens_and_last_logits_are_those_of_transformers()
    {
        string folder = SharedModel.Require("smollm2-135m-instruct");
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "reference.json")));
        var runs = document.RootElement.GetProperty("prompts").EnumerateArray()
            .Select(run => (Ids: Numbers(run.GetProperty("ids")), Greedy: Numbers(run.GetProperty("greedy_ids")))).ToList();
        using var model = Model(folder);
        var requests = runs.Select(run => new GenerationRequest { Prompt = run.Ids, MaxNewTokens = run.Greedy.Length, Seeds = [0] });
        var completions = new BatchGenerator(model).Complete([.. requests]);
        runs.Count.ShouldBeGreaterThan(3);
        for (int i = 0; i < runs.Count; i++) completions[i][0].Tokens.ShouldBe(runs[i].Greedy, $"prompt {i}");
        using var reference = SafeTensorsFile.Open(Path.Combine(folder, "reference-logits.safetensors"));
        foreach (int i in Enumerable.Range(0, runs.Count).Where(i => reference.Contains($"logits.{i}")))
            CompareLogits(model, reference, i, runs[i].Ids);
    }

    private static OnnxTokenModel Model(string folder)
    {
        var weights = Checkpoint.Open(folder).LoadWeights();
        return OnnxTokenModel.FromBytes(new DecoderGraph(weights.Architecture).ToBytes(weights), 512);
    }

    private static void CompareLogits(OnnxTokenModel model, SafeTensorsFile reference, int prompt, int[] ids)
    {
        float[] expected = reference.ReadSingles($"logits.{prompt}"), logits = new float[ids.Length * model.VocabularySize];
        using (var session = model.Open(1, ids.Length)) session.Prefill(0, ids, logits);
        float[] last = logits[^expected.Length..];
        last.Zip(expected, (a, b) => (double)MathF.Abs(a - b)).Max().ShouldBeLessThan(LogitTolerance, $"logits of prompt {prompt}");
    }

    private static int[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(element => element.GetInt32())];
}
