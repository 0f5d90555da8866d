using Distill.Export.Package;
using Distill.Export.Tests.Support;
using Distill.Generation;
using Distill.Generation.GenAI;
using Distill.Generation.Onnx;

namespace Distill.Export.Tests.Graph;

/// <summary>What is exported, opened by ONNX Runtime GenAI: the same tokens and logits as with the own engine, for every family.</summary>
public sealed class GenAIExportTests
{
    private const double Tolerance = 1e-5; // of the largest logit

    private static readonly OnnxModelOptions s_oneThread = new() { IntraOpThreads = 1 };

    public static TheoryData<string, ExportPrecision> Exports => [
        .. from family in TinyModels.Families
           from precision in Enum.GetValues<ExportPrecision>().Where(precision => precision.RunsOnProcessor())
           select (family, precision)];

    [Theory, MemberData(nameof(Exports))]
    public void An_export_says_the_same_in_another_runtime(string family, ExportPrecision precision)
    {
        var weights = TinyModels.Weights(TinyModels.Family(family) with { HiddenSize = 64, IntermediateSize = 96 });
        using var folder = new TemporaryFolder();
        ModelPackage.Write(folder.Path, weights, TinyModels.Tokenizer(weights.Architecture.VocabularySize),
            new PackageDescription { Name = "tiny" }, new() { Precision = precision });
        using var own = OnnxTokenModel.Load(folder.Path, s_oneThread);
        using var other = GenAITokenModel.Load(folder.Path, s_oneThread);
        int[] ids = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7];
        float[] expected = Logits(own, ids), actual = Logits(other, ids);
        double largest = expected.Max(Math.Abs);
        for (int i = 0; i < expected.Length; i++)
            ((double)actual[i]).ShouldBe(expected[i], Tolerance * largest, $"{family}, {precision}, logit {i}");
        var requests = new[] { ids[..1], ids[3..6], ids }.Select(prompt =>
            new GenerationRequest { Prompt = prompt, MaxNewTokens = 24, Seeds = [0] }).ToArray();
        Tokens(other, requests).ShouldBe(Tokens(own, requests));
    }

    // [position, vocab], read in two parts.
    private static float[] Logits(ITokenModel model, int[] ids)
    {
        float[] logits = new float[ids.Length * model.VocabularySize];
        using var session = model.Open(1, ids.Length);
        session.Prefill(0, ids.AsSpan(0, 5), logits.AsSpan(0, 5 * model.VocabularySize));
        session.Prefill(0, ids.AsSpan(5), logits.AsSpan(5 * model.VocabularySize));
        return logits;
    }

    private static int[] Tokens(ITokenModel model, GenerationRequest[] requests) =>
        [.. new BatchGenerator(model, slots: 3).Complete(requests).SelectMany(row => row[0].Tokens)];
}
