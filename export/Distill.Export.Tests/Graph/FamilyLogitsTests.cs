using System.Text.Json;
using Distill.Architecture;
using Distill.Export.Tests.Support;
using Distill.Generation;
using Distill.Generation.Onnx;

namespace Distill.Export.Tests.Graph;

/// <summary>Hugging Face checkpoints of every family through our graph: what transformers computes.</summary>
public sealed class FamilyLogitsTests
{
    private const double Tolerance = 1e-4;

    private static readonly ExportOptions s_portable = new() { Portable = true };

    // The references of these two were made by a model whose rotary frequencies had been rounded along with its weights.
    private const double RoundedTolerance = 2e-3;

    public static TheoryData<string> All => FixtureFolder.Rows("hf");

    public static TheoryData<string> Families => FixtureFolder.Rows("hf", folder => File.Exists(Path.Combine(folder, "reference.json")));

    [Theory, MemberData(nameof(All))]
    public void Logits_are_those_of_the_reference(string family)
    {
        string folder = FixtureFolder.Require("hf", family);
        var weights = Checkpoint.Open(folder).LoadWeights();
        using var reference = SafeTensorsFile.Open(Path.Combine(folder, "reference.safetensors"));
        using var session = OnnxRun.Open(new DecoderGraph(weights.Architecture).ToBytes(weights));
        long[] ids = reference.ReadIntegers("input_ids");
        float[] logits = OnnxRun.Logits(session, weights.Architecture, ids, (int)reference.Entry("input_ids").Shape[0]);
        OnnxRun.RelativeDifference(logits, reference.ReadSingles("logits"))
            .ShouldBeLessThan(IsRounded(family) ? RoundedTolerance : Tolerance);
    }

    [Theory, MemberData(nameof(All))]
    public void Logits_of_a_graph_of_standard_operators_are_those_of_the_reference(string family)
    {
        string folder = FixtureFolder.Require("hf", family);
        var weights = Checkpoint.Open(folder).LoadWeights();
        using var reference = SafeTensorsFile.Open(Path.Combine(folder, "reference.safetensors"));
        using var session = OnnxRun.Open(new DecoderGraph(weights.Architecture, s_portable).ToBytes(weights));
        long[] ids = reference.ReadIntegers("input_ids");
        float[] logits = OnnxRun.Logits(session, weights.Architecture, ids, (int)reference.Entry("input_ids").Shape[0]);
        OnnxRun.RelativeDifference(logits, reference.ReadSingles("logits"))
            .ShouldBeLessThan(IsRounded(family) ? RoundedTolerance : Tolerance);
    }

    [Theory, MemberData(nameof(Families))]
    public void Greedy_tokens_of_the_engine_are_those_of_the_reference(string family) => Greedy(family, ExportOptions.Default);

    [Theory, MemberData(nameof(Families))]
    public void Greedy_tokens_over_standard_operators_are_those_of_the_reference(string family) => Greedy(family, s_portable);

    private static void Greedy(string family, ExportOptions options)
    {
        string json = FixtureFolder.RequireFile("hf", family, "reference.json");
        var weights = Checkpoint.Open(Path.GetDirectoryName(json)!).LoadWeights();
        using var model = OnnxTokenModel.FromBytes(
            new DecoderGraph(weights.Architecture, options).ToBytes(weights), weights.Architecture.MaxPositions,
            new OnnxModelOptions { IntraOpThreads = 1 });
        using var document = JsonDocument.Parse(File.ReadAllBytes(json));
        var runs = document.RootElement.GetProperty("greedy").EnumerateArray()
            .Select(run => (Prompt: Numbers(run.GetProperty("prompt")), Greedy: Numbers(run.GetProperty("greedy")))).ToList();
        var requests = runs.Select(run => new GenerationRequest { Prompt = run.Prompt, MaxNewTokens = run.Greedy.Length, Seeds = [0] });
        var completions = new BatchGenerator(model).Complete([.. requests]);
        for (int i = 0; i < runs.Count; i++) completions[i][0].Tokens.ShouldBe(runs[i].Greedy);
    }

    private static bool IsRounded(string family) =>
        family.StartsWith("storage-fp16", StringComparison.Ordinal) || family.StartsWith("storage-bf16", StringComparison.Ordinal);

    private static int[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(element => element.GetInt32())];
}
