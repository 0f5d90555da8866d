using Distill.Architecture;
using Distill.Export.Package;
using Distill.Export.Runtimes;
using Distill.Export.Tests.Support;
using Distill.Generation;
using Distill.Generation.Onnx;

namespace Distill.Export.Tests.Package;

/// <summary>A folder says of itself what transformers.js must know: nobody who opens it needs an option.</summary>
public sealed class BrowserDefaultTests
{
    [Theory]
    [InlineData(ExportPrecision.Single), InlineData(ExportPrecision.Half)]
    [InlineData(ExportPrecision.Int8), InlineData(ExportPrecision.Int4)]
    public async Task Its_own_type_is_the_one_that_is_taken(ExportPrecision precision)
    {
        if (TransformersRuntime.Find() is not { } runtime)
        {
            Assert.Skip(TransformersRuntime.Absence);
            return;
        }

        using var folder = new TemporaryFolder();
        var a = TinyModels.Family("llama") with { VocabularySize = 600, HiddenSize = 64, IntermediateSize = 96, MaxPositions = 256 };
        var files = TokenizerFiles.Read(Path.Combine(RepositoryFolder.Root, "teacher", "models", "tiny-reasoner"));
        ModelPackage.Write(folder.Path, TinyModels.Weights(a), files, new() { Name = "tiny" }, new() { Precision = precision });
        int[] prompt = [3, 24, 316, 227, 24, 11, 4];
        var found = await runtime.GreedyAsync(folder.Path, [prompt], 16, cancellation: TestContext.Current.CancellationToken);
        using var model = OnnxTokenModel.Load(folder.Path, new OnnxModelOptions { IntraOpThreads = 1 });
        var encoder = ModelFolder.Open(folder.Path).LoadEncoder();
        var request = new GenerationRequest { Prompt = prompt, MaxNewTokens = 16, StopTokens = encoder.EndTokens, Seeds = [0] };
        found[0].ShouldBe(new BatchGenerator(model, slots: 1).Complete([request])[0][0].Tokens);
    }
}
