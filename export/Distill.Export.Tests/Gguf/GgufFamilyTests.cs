using Distill.Architecture;
using Distill.Export.Gguf;
using Distill.Export.Package;
using Distill.Export.Tests.Support;
using Distill.Generation;
using Distill.Generation.Onnx;

namespace Distill.Export.Tests.Gguf;

/// <summary>GGUF files of every family in llama.cpp: what our engine computes from the same numbers.</summary>
public sealed class GgufFamilyTests
{
    private const int Tokens = 32;

    private static readonly OnnxModelOptions s_oneThread = new() { IntraOpThreads = 1 };

    // What llama.cpp has no words for, by folder.
    private static readonly Dictionary<string, string> s_refused = new()
    {
        ["mistral"] = "no sliding window",
        ["qwen2-window"] = "no sliding window",
        ["smollm3"] = "layers without rotary embedding",
    };

    // Of the largest logit. In fp32 what is left is the order of sums; otherwise llama.cpp rounds activations too: to fp16 or bf16 before
    // products with those, to 8 bits in blocks of 32 before products with blocks, which a model 64 wide feels.
    private static readonly (GgufPrecision Precision, double Tolerance)[] s_precisions =
    [
        (GgufPrecision.Single, 2e-5), (GgufPrecision.Half, 4e-3), (GgufPrecision.BFloat16, 0.06), (GgufPrecision.Block8, 0.2),
        (GgufPrecision.Block4, 0.2),
    ];

    public static TheoryData<string> Families => FixtureFolder.Rows("hf");

    [Theory, MemberData(nameof(Families))]
    public void Llama_cpp_computes_what_the_engine_computes(string family)
    {
        var weights = Checkpoint.Open(FixtureFolder.Require("hf", family)).LoadWeights();
        if (s_refused.TryGetValue(family, out string? reason))
        {
            Should.Throw<InvalidDataException>(() => GgufArchitecture.Require(weights.Architecture)).Message.ShouldContain(reason);
            return;
        }

        foreach (var (precision, tolerance) in s_precisions) Compare(weights, precision, tolerance);
    }

    [Fact]
    public void Layers_without_rotary_embedding_are_those_of_the_family()
    {
        var smollm = TinyModels.Family("llama") with
        {
            ModelType = "smollm3", VocabularySize = 256, HiddenSize = 64, Layers = 5, PlainLayers = new([3]), TieEmbeddings = true,
        };
        Compare(TinyModels.Weights(smollm), GgufPrecision.Single, 2e-5);
    }

    [Fact]
    public void A_window_that_hides_nothing_is_no_obstacle()
    {
        var mistral = TinyModels.Family("mistral") with { VocabularySize = 256, SlidingWindow = 64, MaxPositions = 64 };
        Compare(TinyModels.Weights(mistral), GgufPrecision.Single, 2e-5);
    }

    private static void Compare(WeightSet weights, GgufPrecision precision, double tolerance)
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "model.gguf");
        GgufModel.Write(path, weights, ByteTokenizer.Files, new PackageDescription { Name = "tiny" }, precision);
        var stored = GgufWeights.Read(path, weights.Architecture);
        int length = Math.Min(weights.Architecture.MaxPositions, 120);
        int[] ids = [.. Enumerable.Range(0, length).Select(i => i * 37 % weights.Architecture.VocabularySize)];
        using var own = OnnxTokenModel.FromBytes(
            new DecoderGraph(weights.Architecture).ToBytes(stored), weights.Architecture.MaxPositions, s_oneThread);
        using var llama = LlamaModel.Load(path);
        float[] expected = new float[ids.Length * own.VocabularySize];
        using (var session = own.Open(1, ids.Length)) session.Prefill(0, ids, expected);
        OnnxRun.RelativeDifference(llama.Logits(ids), expected).ShouldBeLessThan(tolerance, $"{precision}");
        if (tolerance > 0.01) return; // too coarse to tell one random token from another
        int[][] prompts = [ids[..5], ids[20..32], ids[10..11]];
        int[][] tokens = [.. new BatchGenerator(own, slots: 3)
            .Complete([.. prompts.Select(prompt => new GenerationRequest { Prompt = prompt, MaxNewTokens = Tokens, Seeds = [0] })])
            .Select(row => row[0].Tokens.ToArray())];
        for (int i = 0; i < prompts.Length; i++)
            GreedyAgreement.Require(tokens[i], llama.Greedy(prompts[i], Tokens), tolerance, $"{precision}, prompt {i}");
    }
}
